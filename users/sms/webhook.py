"""Any service that takes messages over HTTP: POST to SMS_WEBHOOK_URL.

    Authorization: Bearer <SMS_WEBHOOK_SECRET>
    Idempotency-Key: <the same for each attempt at one message>
    {"phone_number": "+79990000001", "text": "…"}

2xx accepts the message, 4xx refuses it. The service must send one SMS a key, for that
is what makes it safe to ask once more after no answer or 5xx.
"""

import logging

from django.conf import settings

from users.sms import Sms, SmsBackend
from users.sms.exceptions import SmsUnavailable, SmsUnsure
from users.sms.http import Answer, NoAnswer, NotSent, post, problem_with_url

logger = logging.getLogger(__name__)


class WebhookBackend(SmsBackend):
    @classmethod
    def problems(cls) -> list[str]:
        names = ["SMS_WEBHOOK_URL", "SMS_WEBHOOK_SECRET"]
        if missing := [name for name in names if not getattr(settings, name)]:
            return [f"{' and '.join(missing)} must be set for the SMS webhook."]
        problem = problem_with_url("SMS_WEBHOOK_URL")
        return [problem] if problem else []

    def send(self, sms: Sms) -> None:
        may_be_sent = False
        for share in (0.5, 1):
            try:
                answer = self._post(sms, seconds=sms.seconds_left * share)
            except NotSent as error:
                _warn(sms, f"cannot be reached: {error}")
                continue
            except NoAnswer as error:
                _warn(sms, f"gave no answer: {error}")
                may_be_sent = True
                continue
            if answer.status < 300:
                return
            if answer.status in (401, 403):
                logger.error(
                    "the SMS webhook refuses SMS_WEBHOOK_SECRET: no SMS go out"
                )
            else:
                _warn(sms, f"answered {answer.status}")
            if answer.status < 500:
                break
            may_be_sent = True
        if may_be_sent:
            raise SmsUnsure(is_new=sms.tried is None)
        raise SmsUnavailable

    def _post(self, sms: Sms, *, seconds: float) -> Answer:
        headers = {
            "Authorization": f"Bearer {settings.SMS_WEBHOOK_SECRET}",
            "Idempotency-Key": sms.key,
        }
        body = {"phone_number": sms.phone_number, "text": sms.text}
        return post(settings.SMS_WEBHOOK_URL, body, seconds=seconds, headers=headers)


def _warn(sms: Sms, what: str) -> None:
    phone = sms.phone_number.masked
    logger.warning("the SMS webhook %s (SMS to %s)", what, phone)
