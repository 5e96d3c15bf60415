"""Telegram Gateway: a code in Telegram. https://core.telegram.org/gateway/api

Two steps. `checkSendAbility` says whether the number can get a message, and gives a
request id; it sends nothing, so after any fault there another backend may follow.
`sendVerificationMessage` sends one message per request id, and
`checkVerificationStatus` says later whether it did.
"""

import hashlib
import hmac
import logging
import math
import re
import time
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.cache import cache

from users.channels import Backend, Channel, CodeMessage, DeliveryStatus, Purpose
from users.channels.deliveries import id_of
from users.channels.exceptions import MessageRefused, SmsUnavailable, SmsUnsure
from users.channels.http import Answer, NoAnswer, NotSent, post, problem_with_url

logger = logging.getLogger(__name__)

LENGTHS = range(4, 9)  # digits that it accepts as a code
TTL_SECONDS = 30, 3600  # that it accepts
MOST_SECONDS_OLD = 300  # a callback
STATUSES = {
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.DELIVERED,
    "expired": DeliveryStatus.FAILED,
    "revoked": DeliveryStatus.FAILED,
}


class TelegramBackend(Backend):
    channel = Channel.TELEGRAM

    @classmethod
    def problems(cls) -> list[str]:
        if not settings.TELEGRAM_GATEWAY_TOKEN:
            return ["TELEGRAM_GATEWAY_TOKEN must be set for Telegram."]
        names = ["TELEGRAM_GATEWAY_URL"]
        if settings.TELEGRAM_GATEWAY_CALLBACK_URL:
            names.append("TELEGRAM_GATEWAY_CALLBACK_URL")
        return [problem for name in names if (problem := problem_with_url(name))]

    def can_send(self, message: CodeMessage) -> bool:
        return can_be_shown(message)

    def send(self, message: CodeMessage) -> str | None:
        if message.tried and (request_id := self._sent_then(message)):
            return request_id
        request_id = self._request_id(message)
        # For whoever asks again, if no answer comes now.
        lifetime = max(math.ceil(message.expires_at - time.time()), 1)
        cache.set(_request_key(message), request_id, lifetime)
        try:
            answer = self._ask(
                "sendVerificationMessage",
                self._body(message, request_id),
                seconds=message.seconds_left * 2 / 3,
            )
        except NotSent as error:
            _warn(message, f"cannot be reached: {error}")
            raise SmsUnavailable from None
        except NoAnswer as error:
            _warn(message, f"gave no answer: {error}")
            return self._found_or_raise(message, request_id)
        if answer.fields.get("ok") is True:
            return request_id
        if answer.status < 500 and answer.fields.get("ok") is False:
            raise _refusal(message, answer)
        _warn(message, f"answered {answer.status}, which says nothing")
        return self._found_or_raise(message, request_id)

    def ask_status(self, provider_id: str, *, seconds: float) -> DeliveryStatus | None:
        body = {"request_id": provider_id}
        return status_in(
            _result(self._ask("checkVerificationStatus", body, seconds=seconds))
        )

    def _request_id(self, message: CodeMessage) -> str:
        body = {"phone_number": message.phone_number}
        seconds = message.seconds_left / 3
        try:
            answer = self._ask("checkSendAbility", body, seconds=seconds)
        except (NotSent, NoAnswer) as error:
            _warn(message, f"cannot be asked: {error}")
            raise SmsUnavailable from None
        if request_id := _result(answer).get("request_id"):
            return str(request_id)
        raise _refusal(message, answer)

    def _body(self, message: CodeMessage, request_id: str) -> dict[str, Any]:
        body = {
            "phone_number": message.phone_number,
            "request_id": request_id,
            "code": message.code,
            "ttl": _ttl(message),
            "payload": id_of(message),
        }
        if settings.TELEGRAM_GATEWAY_CALLBACK_URL:
            body["callback_url"] = settings.TELEGRAM_GATEWAY_CALLBACK_URL
        return body

    def _sent_then(self, message: CodeMessage) -> str | None:
        """The request id if it went out at the attempt before.

        Raises SmsUnsure while that cannot be told.
        """
        request_id: str | None = cache.get(_request_key(message))
        try:
            status = self._status(message, request_id) if request_id else None
        except (NotSent, NoAnswer):
            raise SmsUnsure(is_new=False) from None
        if status and status != DeliveryStatus.FAILED:
            return request_id
        if not status and message.tried and message.tried.seconds_to_repeat:
            raise SmsUnsure(is_new=False)
        return None

    def _found_or_raise(self, message: CodeMessage, request_id: str) -> str:
        with suppress(NotSent, NoAnswer):
            status = self._status(message, request_id)
            if status == DeliveryStatus.FAILED:
                raise SmsUnavailable
            if status:
                return request_id
        raise SmsUnsure  # that it is not there yet proves nothing

    def _status(self, message: CodeMessage, request_id: str) -> DeliveryStatus | None:
        """None: it was not sent, as far as Telegram knows. Raises NotSent, NoAnswer."""
        body, seconds = {"request_id": request_id}, message.seconds_left
        try:
            answer = self._ask("checkVerificationStatus", body, seconds=seconds)
            if answer.fields.get("ok") is not True:
                raise NoAnswer(f"it answered {answer.status}")
        except (NotSent, NoAnswer) as error:
            _warn(message, f"cannot be asked what it sent: {error}")
            raise
        return status_in(_result(answer))

    def _ask(self, method: str, body: dict[str, Any], *, seconds: float) -> Answer:
        url = f"{settings.TELEGRAM_GATEWAY_URL.rstrip('/')}/{method}"
        headers = {"Authorization": f"Bearer {settings.TELEGRAM_GATEWAY_TOKEN}"}
        return post(url, body, seconds=seconds, headers=headers)


def can_be_shown(message: CodeMessage) -> bool:
    """Whether Telegram can carry it.

    Not a code to change a number: Telegram's text does not say what a code is for, and
    somebody might be talked into telling it.
    """
    return message.length in LENGTHS and message.purpose == Purpose.SIGN_IN


def is_signed(body: bytes, *, timestamp: str, signature: str) -> bool:
    """Whether a callback comes from Telegram, and is not an old one sent again."""
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        return False
    if abs(time.time() - int(timestamp)) > MOST_SECONDS_OLD:
        return False
    key = hashlib.sha256(settings.TELEGRAM_GATEWAY_TOKEN.encode()).digest()
    expected = hmac.new(key, timestamp.encode() + b"\n" + body, "sha256").hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


def status_in(request_status: dict[str, Any]) -> DeliveryStatus | None:
    """What Telegram's `RequestStatus` says; None if it was not sent, or is unknown."""
    delivery = request_status.get("delivery_status")
    said = delivery.get("status") if isinstance(delivery, dict) else None
    return STATUSES.get(said) if isinstance(said, str) else None


def _ttl(message: CodeMessage) -> int:
    """Seconds in which the message has to arrive.

    As long as the number waits for another one: then it is known in time that this one
    failed, and two never arrive. A last code has no other after it.
    """
    seconds = int(message.expires_at - time.time())
    if not message.is_last:
        seconds = min(seconds, settings.LOGIN_CODE_RESEND_SECONDS[0])
    shortest, longest = TTL_SECONDS
    return min(max(seconds, shortest), longest)


def _result(answer: Answer) -> dict[str, Any]:
    result = answer.fields.get("result")
    is_ok = answer.status < 300 and answer.fields.get("ok") is True
    return result if is_ok and isinstance(result, dict) else {}


def _refusal(message: CodeMessage, answer: Answer) -> SmsUnavailable | MessageRefused:
    said = str(answer.fields.get("error"))
    if said.startswith("ACCESS_TOKEN"):
        logger.error("Telegram refuses TELEGRAM_GATEWAY_TOKEN: no messages go out")
        return SmsUnavailable()
    if answer.is_of_wrong_address:
        logger.error("TELEGRAM_GATEWAY_URL is wrong: it answered %d", answer.status)
        return SmsUnavailable()
    if said.startswith("BALANCE"):
        logger.error("Telegram's balance is used up: no messages go out")
        return SmsUnavailable()
    # An unknown text might repeat the number or the code.
    name = re.sub(r"[0-9]", "•", said) if re.fullmatch(r"\w{1,60}", said) else "?"
    _warn(message, f"answered {answer.status} {name}")
    return MessageRefused() if said.startswith("PHONE_NUMBER") else SmsUnavailable()


def _request_key(message: CodeMessage) -> str:
    return f"telegram-request:{message.key}"


def _warn(message: CodeMessage, what: str) -> None:
    logger.warning("Telegram %s (message to %s)", what, message.phone_number.masked)
