// Alice invites Boris, with the generated types. CI runs this against a live server: in
// Node.js, and in a browser on a page of another origin (?server=http://…).

import {
  accepted,
  createReferralClient,
  Refused,
  type ReferralClient,
} from "./index.js";

const BASE_URL =
  typeof process === "undefined"
    ? (new URLSearchParams(location.search).get("server") ?? "")
    : (process.env.BASE_URL ?? "http://127.0.0.1:8000");
const anonymous = createReferralClient(BASE_URL);

function expect<T>(seen: T, expected: T): void {
  if (seen !== expected) {
    throw new Error(`expected ${String(expected)}, not ${String(seen)}`);
  }
}

async function refusalOf(request: Promise<unknown>): Promise<Refused> {
  try {
    await request;
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error("this must be refused");
}

// What openapi-fetch makes of answers of a proxy: an empty one, a page, other JSON.
for (const error of [undefined, "<h1>Bad Gateway</h1>", null, { errors: "none" }]) {
  const response = new Response(null, { status: 502 });
  const result = { error, response } as { error: never; response: Response };
  const refused = await refusalOf(accepted(Promise.resolve(result)));
  expect(refused.status, 502);
  expect(refused.error.code, "service_unavailable");
}

async function signIn(phone_number: string): Promise<ReferralClient> {
  const { dev_code } = await accepted(
    anonymous.POST("/api/auth/request-code/", { body: { phone_number } }),
  );
  if (!dev_code) throw new Error("the server must show codes");

  const last = (Number(dev_code.at(-1)) + 1) % 10;
  const code = `${dev_code.slice(0, -1)}${last}`;
  const refused = await refusalOf(
    accepted(
      anonymous.POST("/api/auth/verify-code/", { body: { phone_number, code } }),
    ),
  );
  expect(refused.error.code, "code_incorrect");
  expect(refused.error.attempts_left, 4);

  const { token } = await accepted(
    anonymous.POST("/api/auth/verify-code/", {
      body: { phone_number, code: dev_code },
    }),
  );
  return createReferralClient(BASE_URL, token);
}

function newNumber(): string {
  const number = Math.floor(Math.random() * 1e7);
  return `+7999${String(number).padStart(7, "0")}`;
}

async function signInWithJwt(phone_number: string): Promise<ReferralClient> {
  const { dev_code } = await accepted(
    anonymous.POST("/api/auth/request-code/", { body: { phone_number } }),
  );
  const { access } = await accepted(
    anonymous.POST("/api/auth/jwt/create/", {
      body: { phone_number, code: dev_code ?? "" },
    }),
  );
  return createReferralClient(BASE_URL, access, "Bearer");
}

const alice = await signInWithJwt(newNumber());
const boris = await signIn(newNumber());
const { invite_code } = await accepted(alice.GET("/api/profile/"));
const params = { path: { code: invite_code } };
const owner = await accepted(
  anonymous.GET("/api/invite-codes/{code}/", { params }),
);
expect(owner.invite_code, invite_code);

await accepted(boris.POST("/api/profile/", { body: { invite_code } }));
const profile = await accepted(alice.GET("/api/profile/"));
expect(profile.referrals_count, 1);

const devices = await accepted(boris.GET("/api/auth/sessions/"));
expect(devices.results.length, 1);
expect(devices.results[0]?.is_current, true);
expect(devices.next, null);
await accepted(boris.POST("/api/auth/logout/"));
const refused = await refusalOf(accepted(boris.GET("/api/profile/")));
expect(refused.status, 401);
const done = `signed out: ${refused.error.code}`;
console.log(done);
if (typeof document !== "undefined") document.title = done;
