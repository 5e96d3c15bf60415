"""POSTs messages to WEBHOOK_URL. Does not use the database."""

import asyncio
import logging
from collections.abc import Sequence
from types import TracebackType

import httpx
from django.conf import settings

from webhooks.messages import Message
from webhooks.services import SEND_SECONDS

logger = logging.getLogger(__name__)


class Courier:
    """Create one per worker process and reuse it: loading certificates is slow."""

    def __enter__(self) -> "Courier":
        self._runner = asyncio.Runner()
        # A redirect is a failure: the signed message must not go elsewhere.
        self._client = httpx.AsyncClient(timeout=SEND_SECONDS, follow_redirects=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._runner:
            self._runner.run(self._client.aclose())

    def send(self, messages: Sequence[Message]) -> list[str | None]:
        """Send all at the same time. Returns an error for each, None if it arrived."""
        return self._runner.run(self._send_all(messages))

    async def _send_all(self, messages: Sequence[Message]) -> list[str | None]:
        return await asyncio.gather(*map(self._try, messages))

    async def _try(self, message: Message) -> str | None:
        try:
            # For everything, from the DNS lookup to the last byte of a slow answer.
            async with asyncio.timeout(SEND_SECONDS):
                status = await self._post(message)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return type(error).__name__
        except Exception as error:
            # One event that cannot be sent must not stop the others.
            logger.exception("webhook %s", message.headers["webhook-id"])
            return type(error).__name__
        return None if 200 <= status < 300 else f"status {status}"

    async def _post(self, message: Message) -> int:
        """Only the status is read, never the body of the answer."""
        async with self._client.stream(
            "POST",
            settings.WEBHOOK_URL,
            content=message.body,
            headers=message.headers,
        ) as response:
            return response.status_code
