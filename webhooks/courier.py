"""POSTs messages to WEBHOOK_URL. Does not use the database."""

import asyncio
import logging
import re
from collections.abc import Sequence
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType

import httpx2
from django.conf import settings
from django.utils import timezone

from config.tls import tls
from webhooks.messages import Message
from webhooks.services import SEND_SECONDS, Failure

logger = logging.getLogger(__name__)

# The longest wait that is honoured: a mistake must not stop sending for good.
LONGEST_PAUSE = timedelta(days=1)


class Courier:
    """A client whose connections are kept between batches: use it as a context."""

    def __enter__(self) -> "Courier":
        self._runner = asyncio.Runner()
        # A redirect is a failure: the signed message must not go elsewhere.
        self._client = httpx2.AsyncClient(
            timeout=SEND_SECONDS, follow_redirects=False, verify=tls()
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._runner:
            self._runner.run(self._client.aclose())

    def send(self, messages: Sequence[Message]) -> list[Failure | None]:
        """Send all at the same time. Returns None for each that arrived."""
        return self._runner.run(self._send_all(messages))

    async def _send_all(self, messages: Sequence[Message]) -> list[Failure | None]:
        return await asyncio.gather(*map(self._try, messages))

    async def _try(self, message: Message) -> Failure | None:
        try:
            # For everything, from the DNS lookup to the last byte of a slow answer.
            async with asyncio.timeout(SEND_SECONDS):
                return await self._post(message)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            return Failure(type(error).__name__)
        except Exception as error:
            # One event that cannot be sent must not stop the others.
            logger.exception("webhook %s", message.headers["webhook-id"])
            return Failure(type(error).__name__)

    async def _post(self, message: Message) -> Failure | None:
        """Only status and headers are read, never the body of the answer."""
        async with self._client.stream(
            "POST",
            settings.WEBHOOK_URL,
            content=message.body,
            headers=message.headers,
        ) as response:
            if response.is_success:
                return None
            return Failure(
                f"status {response.status_code}",
                retry_after=_wait(response.headers.get("retry-after", "")),
                is_gone=response.status_code == HTTPStatus.GONE,
            )


def _wait(retry_after: str) -> timedelta:
    """A Retry-After header, in seconds or as a date. Zero if it is neither."""
    text = retry_after.strip()
    if re.fullmatch(r"[0-9]+", text):
        wait = timedelta(seconds=min(int(text[:10]), LONGEST_PAUSE.total_seconds()))
    else:
        try:
            until = parsedate_to_datetime(text)
            wait = until.astimezone(UTC) - timezone.now()
        except (ValueError, OverflowError):
            wait = timedelta()
    return min(max(wait, timedelta()), LONGEST_PAUSE)
