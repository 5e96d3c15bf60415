"""uCaller, https://ucaller.ru: calls from a number that ends in our four digits.

`unique` is its key for idempotency: asked once more with the same one, it answers
`exists` and does not call again.
"""

import logging
from typing import Any

from django.conf import settings

from users.channels import Channel, CodeMessage, DeliveryStatus
from users.channels.exceptions import MessageRefused, SmsUnavailable
from users.channels.flash_call import DIGITS, can_be_called
from users.channels.http import Answer, post, problem_with_url
from users.channels.idempotent import IdempotentBackend

logger = logging.getLogger(__name__)

# Its error codes. These concern the account, not the message.
NO_MONEY = {6, 1002}
CREDENTIALS = {0, 2, 4, 1001, 1003, 1004}  # or the address, or the service is off
UNAVAILABLE = {1000}
# Its `call_status`; -1: it does not know yet.
STATUSES = {
    -1: DeliveryStatus.SENT,
    0: DeliveryStatus.FAILED,
    1: DeliveryStatus.DELIVERED,
}


class UCallerBackend(IdempotentBackend):
    channel = Channel.CALL

    @classmethod
    def problems(cls) -> list[str]:
        names = ["UCALLER_SERVICE_ID", "UCALLER_SECRET_KEY"]
        if missing := [name for name in names if not getattr(settings, name)]:
            return [f"{' and '.join(missing)} must be set for uCaller."]
        problem = problem_with_url("UCALLER_URL")
        return [problem] if problem else []

    def can_send(self, message: CodeMessage) -> bool:
        return can_be_called(message)

    def ask(self, message: CodeMessage, *, seconds: float) -> Answer:
        body = {
            "phone": int(message.phone_number.removeprefix("+")),
            "code": message.code,  # text: a number would lose its leading zeros
            "unique": message.key,
        }
        return self._post("initCall", body, seconds=seconds)

    def id_in(self, answer: Answer) -> str | None:
        found = str(answer.fields["ucaller_id"])
        return found if found.isdecimal() else None

    def ask_status(self, provider_id: str, *, seconds: float) -> DeliveryStatus | None:
        answer = self._post("getInfo", {"uid": int(provider_id)}, seconds=seconds)
        said = answer.fields.get("call_status")
        return STATUSES.get(said) if isinstance(said, int) else None

    def _post(self, method: str, body: dict[str, Any], *, seconds: float) -> Answer:
        credentials = f"{settings.UCALLER_SECRET_KEY}.{settings.UCALLER_SERVICE_ID}"
        url = f"{settings.UCALLER_URL.rstrip('/')}/{method}"
        headers = {"Authorization": f"Bearer {credentials}"}
        return post(url, body, seconds=seconds, headers=headers)

    def is_accepted(self, message: CodeMessage, answer: Answer) -> bool:
        fields = answer.fields
        if answer.status < 500 and "error" in fields:
            raise self._refusal(message, fields)
        # Whatever `status` says: with an id the call is on its way, and is billed.
        if answer.status < 300 and fields.get("ucaller_id"):
            self._check_digits(message, fields)
            return True
        if answer.is_of_wrong_address:
            logger.error("UCALLER_URL is wrong: it answered %d", answer.status)
            raise SmsUnavailable
        self.warn(message, f"answered {answer.status}, which says nothing")
        if 400 <= answer.status < 500:
            raise SmsUnavailable
        return False

    def _refusal(
        self, message: CodeMessage, fields: dict[str, Any]
    ) -> SmsUnavailable | MessageRefused:
        said = str(fields.get("code"))
        code = int(said) if said.isdecimal() else -1
        if code in CREDENTIALS:
            logger.error(
                "uCaller refuses UCALLER_SERVICE_ID and UCALLER_SECRET_KEY (error %d): "
                "no calls go out",
                code,
            )
            return SmsUnavailable()
        if code in NO_MONEY:
            logger.error("uCaller's balance is used up: no calls go out")
            return SmsUnavailable()
        # Its text might repeat the number.
        self.warn(message, f"refuses the call (error {code})")
        return SmsUnavailable() if code in UNAVAILABLE else MessageRefused()

    def _check_digits(self, message: CodeMessage, fields: dict[str, Any]) -> None:
        """A call from other digits brings no code, so another message may follow."""
        said = fields.get("code")
        if said is not None and str(said).zfill(DIGITS) != message.code:
            logger.error("uCaller calls from other digits than those of the code")
            raise SmsUnavailable.other_digits_sent()

    def warn(self, message: CodeMessage, what: str) -> None:
        logger.warning("uCaller %s (call to %s)", what, message.phone_number.masked)
