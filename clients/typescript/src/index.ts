import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type Schemas = components["schemas"];
export type ReferralClient = Client<paths>;

/**
 * Without a token: for signing in and for looking up invite codes. `scheme` is "Bearer"
 * if the token is the access token of a JWT pair.
 */
export function createReferralClient(
  baseUrl: string,
  token?: string,
  scheme: "Token" | "Bearer" = "Token",
): ReferralClient {
  const headers = token ? { Authorization: `${scheme} ${token}` } : {};
  return createClient<paths>({ baseUrl, headers });
}

/** What the server says about a request that it refuses. */
export class Refused extends Error {
  readonly status: number;
  /** The first error: `code`, and facts such as `attempts_left` where it has them. */
  readonly error: Schemas["Error"];
  readonly errors: Schemas["Error"][];
  /** From the header Retry-After. */
  readonly waitSeconds: number | undefined;

  constructor(answer: unknown, response: Response) {
    const errors = errorsOf(answer) ?? [fromProxy(response)];
    const first = errors[0];
    super(first.detail);
    this.status = response.status;
    this.error = first;
    this.errors = errors;
    this.waitSeconds = Number(response.headers.get("Retry-After")) || undefined;
  }
}

type Errors = [Schemas["Error"], ...Schemas["Error"][]];

function errorsOf(answer: unknown): Errors | undefined {
  const errors = (answer as Partial<Schemas["ErrorResponse"]> | null | undefined)
    ?.errors;
  return Array.isArray(errors) && errors.length ? (errors as Errors) : undefined;
}

/** An answer that is not ours, such as an empty 502 or a page of a proxy. */
function fromProxy(response: Response): Schemas["Error"] {
  const detail = `HTTP ${response.status}`;
  return { code: "service_unavailable", detail, attr: null };
}

type Result<T> =
  | { data: T; error?: never; response: Response }
  | { data?: never; error: Schemas["ErrorResponse"]; response: Response };

/** The answer, with its type. Throws Refused. */
export async function accepted<T>(request: Promise<Result<T>>): Promise<T> {
  const { data, error, response } = await request;
  if (!response.ok) throw new Refused(error, response);
  return data as T;
}
