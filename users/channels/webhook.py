"""Any service that takes messages over HTTP: POST to SMS_WEBHOOK_URL.

    Authorization: Bearer <SMS_WEBHOOK_SECRET>
    Idempotency-Key: <the same for each attempt at one message>
    {"phone_number": "+79990000001", "text": "…", "channel": "sms", "code": "0421",
     "length": 4, "purpose": "sign_in", "language": "en",
     "expires_at": "2026-11-21T12:05:00Z"}

2xx accepts the message, 400 or 422 refuses it (404, 405, 410 and 3xx are taken for a
wrong URL). The service must send only one message per key: this makes it safe to ask
once more after 5xx or without an answer.
"""

import logging
from datetime import UTC, datetime
from typing import ClassVar

from django.conf import settings

from users.channels import Channel, CodeMessage
from users.channels.exceptions import MessageRefused, SmsUnavailable
from users.channels.http import Answer, post, problem_with_url
from users.channels.idempotent import IdempotentBackend
from users.phones import country_of

logger = logging.getLogger(__name__)


class WebhookBackend(IdempotentBackend):
    name: ClassVar[str] = "SMS webhook"
    # Names of settings.
    url: ClassVar[str] = "SMS_WEBHOOK_URL"
    secret: ClassVar[str] = "SMS_WEBHOOK_SECRET"  # noqa: S105  no secret, its name

    @classmethod
    def problems(cls) -> list[str]:
        names = [cls.url, cls.secret]
        if missing := [name for name in names if not getattr(settings, name)]:
            return [f"{' and '.join(missing)} must be set for the {cls.name}."]
        problem = problem_with_url(cls.url)
        return [problem] if problem else []

    def ask(self, message: CodeMessage, *, seconds: float) -> Answer:
        headers = {
            "Authorization": f"Bearer {getattr(settings, self.secret)}",
            "Idempotency-Key": message.key,
        }
        expires_at = datetime.fromtimestamp(int(message.expires_at), UTC)
        body = {
            "phone_number": message.phone_number,
            "text": self.text_of(message),
            "channel": self.channel,
            "code": message.code,
            "length": message.length,
            "purpose": message.purpose,
            "language": message.language,
            "expires_at": f"{expires_at:%Y-%m-%dT%H:%M:%SZ}",
        }
        return post(getattr(settings, self.url), body, seconds=seconds, headers=headers)

    def text_of(self, message: CodeMessage) -> str:
        return message.text

    def is_accepted(self, message: CodeMessage, answer: Answer) -> bool:
        if answer.status < 300:
            return True
        if answer.status in (401, 403):
            logger.error(
                "the %s refuses %s: nothing goes out by it", self.name, self.secret
            )
            raise SmsUnavailable
        if answer.is_of_wrong_address:
            logger.error("%s is wrong: it answered %d", self.url, answer.status)
            raise SmsUnavailable
        self.warn(message, f"answered {answer.status}")
        if answer.status < 500:  # 429 too: it may be the limit of one number
            raise MessageRefused
        return False

    def warn(self, message: CodeMessage, what: str) -> None:
        phone = message.phone_number.masked
        logger.warning("the %s %s (to %s)", self.name, what, phone)


class VoiceWebhookBackend(WebhookBackend):
    """The same for a service that calls and says the code: `text` is to be spoken."""

    channel = Channel.VOICE
    name = "voice webhook"
    url = "VOICE_WEBHOOK_URL"
    secret = "VOICE_WEBHOOK_SECRET"  # noqa: S105  as above

    def can_send(self, message: CodeMessage) -> bool:
        return country_of(message.phone_number) in settings.CALL_COUNTRIES

    def text_of(self, message: CodeMessage) -> str:
        return message.spoken_text
