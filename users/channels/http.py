"""One bounded request to a provider, and whether it can have had an effect."""

import asyncio
import json
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
from django.conf import settings

from config.tls import tls

MAX_ANSWER_BYTES = 64 * 1024
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class NotSent(Exception):
    """Nothing of the request has left."""


class NoAnswer(Exception):
    """It has left, and no answer came that could be read."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: bytes

    @property
    def is_of_wrong_address(self) -> bool:
        """Whether the URL leads elsewhere, or to nothing that takes messages."""
        return 300 <= self.status < 400 or self.status in (404, 405, 410)

    @property
    def fields(self) -> dict[str, Any]:
        """The members of the JSON object. Empty if the body is no JSON object."""
        try:
            found = json.loads(self.content)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def post(
    url: str,
    body: object,
    *,
    seconds: float,
    auth: tuple[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Ends within `seconds`, whatever the other side does; follows no redirects.

    Raises NotSent and NoAnswer, whose texts are fit for a log.
    """
    tls()  # the first time it takes long, and not because of the provider
    # Cancelling ends every wait, that for a name or for one byte after the other too;
    # a socket's time-out would begin anew with each of them.
    request = _post(url, body, seconds=seconds, auth=auth, headers=headers or {})
    with ThreadPoolExecutor(1) as thread:  # ours may have a loop already
        return thread.submit(_run, request).result()


def _run(request: Coroutine[None, None, Answer]) -> Answer:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(request)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()  # waits for no thread that still looks a name up


async def _post(
    url: str,
    body: object,
    *,
    seconds: float,
    auth: tuple[str, str] | None,
    headers: Mapping[str, str],
) -> Answer:
    has_left = False

    async def trace(event: str, info: object) -> None:
        nonlocal has_left
        has_left = has_left or event.endswith("send_request_headers.started")

    # Time for another try, or another provider, when this one is not there.
    connect = settings.SMS_TIMEOUT_SECONDS / 4
    content = b""
    try:
        async with (
            asyncio.timeout(seconds),
            httpx2.AsyncClient(
                verify=tls(),
                timeout=httpx2.Timeout(seconds, connect=min(connect, seconds)),
                trust_env=False,  # no proxy and no .netrc that nobody thinks of
            ) as client,
            client.stream(
                "POST",
                url,
                json=body,
                auth=auth,
                # Unpacked, a small answer could be a huge one.
                headers={"Accept-Encoding": "identity", **headers},
                extensions={"trace": trace},
            ) as response,
        ):
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise NoAnswer("the answer is too large")
            return Answer(response.status_code, content)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        reason = type(error).__name__
        if has_left:
            raise NoAnswer(reason) from None
        raise NotSent(reason) from None


def problem_with_url(name: str) -> str | None:
    """One sentence if the setting is not an address that secrets may be sent to."""
    try:
        url = urlsplit(getattr(settings, name))
    except ValueError:
        return f"{name} is not a URL."
    if url.hostname and url.scheme == "https":
        return None
    if url.hostname in LOOPBACK and url.scheme == "http":
        return None
    return f"{name} must begin with https://: secrets and codes go there."
