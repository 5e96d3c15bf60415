"""SMS Aero, https://smsaero.ru: version 2 of its API.

Not by its own client, which after a time-out sends the message again through another
host, and after a TLS error over plain HTTP.
"""

import logging
import re
import time
from typing import Any, ClassVar

from django.conf import settings

from users.channels import Attempt, Backend, Channel, CodeMessage, DeliveryStatus
from users.channels.exceptions import (
    MessageRefused,
    SmsUnavailable,
    SmsUnsure,
)
from users.channels.http import Answer, NoAnswer, NotSent, post, problem_with_url
from users.channels.telegram import can_be_shown

logger = logging.getLogger(__name__)

REJECTED = 6  # a message's status
# The others say that it is on its way: queued, sent, in moderation.
STATUSES = {
    1: DeliveryStatus.DELIVERED,
    2: DeliveryStatus.FAILED,
    REJECTED: DeliveryStatus.FAILED,
}
CLOCKS_APART_SECONDS = 30  # at most, between the provider and us


class SmsAeroBackend(Backend):
    method: ClassVar[str] = "sms"  # of the API

    @classmethod
    def problems(cls) -> list[str]:
        names = ["SMS_AERO_EMAIL", "SMS_AERO_API_KEY"]
        if missing := [name for name in names if not getattr(settings, name)]:
            return [f"{' and '.join(missing)} must be set for SMS Aero."]
        problem = problem_with_url("SMS_AERO_URL")
        return [problem] if problem else []

    def send(self, message: CodeMessage) -> str | None:
        if message.tried and (row := self._settled(message, message.tried)):
            return _id_in(row)
        started = time.time()
        try:
            answer = self._post_twice(message)
        except NotSent as error:
            _warn(message, f"cannot be reached: {error}")
            raise SmsUnavailable from None
        except NoAnswer as error:
            _warn(message, f"gave no answer: {error}")
            return _id_in(self._find_or_raise(message, since=started))
        if answer.status >= 500 or (answer.status < 300 and not answer.fields):
            _warn(message, f"answered {answer.status}, which says nothing")
            return _id_in(self._find_or_raise(message, since=started))
        if not _is_accepted(answer):
            raise _refusal(message, answer)
        accepted = answer.fields.get("data")
        self.check(message, accepted)
        return _id_in(accepted)

    def check(self, message: CodeMessage, row: object) -> None:
        """Raises SmsUnavailable if what was accepted is not the message."""

    def ask_status(self, provider_id: str, *, seconds: float) -> DeliveryStatus | None:
        answer = self._post(
            f"{self.method}/status", {"id": int(provider_id)}, seconds=seconds
        )
        data = answer.fields.get("data")
        said = data.get("status") if isinstance(data, dict) else None
        return STATUSES.get(said) if isinstance(said, int) else None

    def _post_twice(self, message: CodeMessage) -> Answer:
        """Repeated only if nothing of the first request was sent."""
        path, body = f"{self.method}/send", self.body_of(message)
        try:
            return self._post(path, body, seconds=message.seconds_left * 3 / 4)
        except NotSent:
            return self._post(path, body, seconds=message.seconds_left * 3 / 4)

    def body_of(self, message: CodeMessage) -> dict[str, Any]:
        return {
            "number": int(message.phone_number.removeprefix("+")),
            "text": message.text,
            "sign": settings.SMS_AERO_SIGN,
        }

    def _settled(self, message: CodeMessage, tried: Attempt) -> dict[str, Any]:
        """The row of the message if it was sent then. Raises SmsUnsure if unknown."""
        found = self.find(message, since=tried.since)
        if found is None or (not found and tried.seconds_to_repeat):
            raise SmsUnsure(is_new=False)
        return found

    def _find_or_raise(self, message: CodeMessage, *, since: float) -> dict[str, Any]:
        if found := self.find(message, since=since):
            return found
        raise SmsUnsure  # that it is not there yet proves nothing

    def find(self, message: CodeMessage, *, since: float) -> dict[str, Any] | None:
        """The row of the message. {}: there is none. None: the list cannot be read."""
        number = int(message.phone_number.removeprefix("+"))
        body = {"number": number, "text": message.text}
        try:
            answer = self._post("sms/list", body, seconds=message.seconds_left)
        except (NotSent, NoAnswer) as error:
            _warn(message, f"cannot be asked what it sent: {error}")
            return None
        if answer.status >= 300 or answer.fields.get("success") is not True:
            _warn(message, f"answered {answer.status} to the question what it sent")
            return None
        data = answer.fields.get("data")
        rows = data.values() if isinstance(data, dict) else ()
        earliest = since - CLOCKS_APART_SECONDS
        ours = (row for row in rows if _is_it(row, message, number, earliest))
        return next(ours, {})

    def _post(self, path: str, body: dict[str, Any], *, seconds: float) -> Answer:
        url = f"{settings.SMS_AERO_URL.rstrip('/')}/{path}"
        auth = (settings.SMS_AERO_EMAIL, settings.SMS_AERO_API_KEY)
        return post(url, body, seconds=seconds, auth=auth)


class SmsAeroTelegramBackend(SmsAeroBackend):
    """A code in Telegram. SMS Aero itself sends the text by SMS where that fails."""

    channel = Channel.TELEGRAM
    method = "telegram"

    def can_send(self, message: CodeMessage) -> bool:
        return can_be_shown(message)

    def body_of(self, message: CodeMessage) -> dict[str, Any]:
        # Text: a number would lose its leading zeros.
        return {**super().body_of(message), "code": message.code}

    def check(self, message: CodeMessage, row: object) -> None:
        """A message with other digits brings no code, so another one may follow."""
        said = row.get("telegramCode") if isinstance(row, dict) else None
        if said is not None and str(said) != message.code:
            logger.error(
                "SMS Aero sends other digits in Telegram than those of the code"
            )
            raise SmsUnavailable.other_digits_sent()

    def find(self, message: CodeMessage, *, since: float) -> dict[str, Any]:
        """Nothing: the API has no list of these."""
        return {}


def _is_accepted(answer: Answer) -> bool:
    data = answer.fields.get("data")
    is_rejected = isinstance(data, dict) and data.get("status") == REJECTED
    return (
        answer.status < 300 and answer.fields.get("success") is True and not is_rejected
    )


def _id_in(row: object) -> str | None:
    found = str(row.get("id")) if isinstance(row, dict) else ""
    return found if found.isdecimal() else None


def _is_it(row: object, message: CodeMessage, number: int, earliest: float) -> bool:
    if not isinstance(row, dict):
        return False  # `links` and `totalCount` stand among the messages
    created_at = row.get("dateCreate")
    return (
        str(row.get("number")) == str(number)
        and str(row.get("text")).split() == message.text.split()
        and isinstance(created_at, int | float)
        and created_at >= earliest
        and not _has_failed(row)
    )


def _has_failed(row: dict[str, Any]) -> bool:
    """Whether the message is known not to arrive."""
    status = row.get("status")
    return isinstance(status, int) and STATUSES.get(status) == DeliveryStatus.FAILED


def _refusal(message: CodeMessage, answer: Answer) -> SmsUnavailable | MessageRefused:
    said = str(answer.fields.get("message") or answer.fields.get("reason") or "")
    is_out_of_money = answer.fields.get("result") == "no credits" or re.search(
        r"money|balance|credits|средств|баланс", said, re.IGNORECASE
    )
    if answer.status in (401, 403):
        logger.error(
            "SMS Aero refuses SMS_AERO_EMAIL and SMS_AERO_API_KEY: no SMS go out"
        )
        return SmsUnavailable()
    if answer.is_of_wrong_address:
        logger.error("SMS_AERO_URL is wrong: it answered %d", answer.status)
        return SmsUnavailable()
    if answer.status == 402 or is_out_of_money:
        logger.error("SMS Aero's balance is used up: no SMS go out")
        return SmsUnavailable()
    # Its text might repeat the number or the code.
    said = re.sub(r"[0-9]", "•", said)[:100]
    _warn(message, f"answered {answer.status} {said!r}")
    return SmsUnavailable() if answer.status == 429 else MessageRefused()


def _warn(message: CodeMessage, what: str) -> None:
    phone = message.phone_number.masked
    logger.warning("SMS Aero %s (SMS to %s)", what, phone)
