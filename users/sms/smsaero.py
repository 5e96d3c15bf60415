"""SMS Aero, https://smsaero.ru: version 2 of its API.

Not by its own client, which after a time-out sends the message again through another
host, and after a TLS error over plain HTTP.
"""

import logging
import re
import time
from typing import Any

from django.conf import settings

from users.sms import Attempt, Sms, SmsBackend
from users.sms.exceptions import SmsUnavailable, SmsUnsure
from users.sms.http import Answer, NoAnswer, NotSent, post, problem_with_url

logger = logging.getLogger(__name__)

REJECTED = 6  # a message's status
CLOCKS_APART_SECONDS = 30  # at most, between the provider and us


class SmsAeroBackend(SmsBackend):
    @classmethod
    def problems(cls) -> list[str]:
        names = ["SMS_AERO_EMAIL", "SMS_AERO_API_KEY"]
        if missing := [name for name in names if not getattr(settings, name)]:
            return [f"{' and '.join(missing)} must be set for SMS Aero."]
        problem = problem_with_url("SMS_AERO_URL")
        return [problem] if problem else []

    def send(self, sms: Sms) -> None:
        if sms.tried and self._is_settled(sms, sms.tried):
            return
        started = time.time()
        try:
            answer = self._post_twice(sms)
        except NotSent as error:
            _warn(sms, f"cannot be reached: {error}")
            raise SmsUnavailable from None
        except NoAnswer as error:
            _warn(sms, f"gave no answer: {error}")
            self._find_or_raise(sms, since=started)
            return
        if answer.status >= 500 or (answer.status < 300 and not answer.fields):
            _warn(sms, f"answered {answer.status}, which says nothing")
            self._find_or_raise(sms, since=started)
        elif not _is_accepted(answer):
            _tell_operators(sms, answer)
            raise SmsUnavailable

    def _post_twice(self, sms: Sms) -> Answer:
        """The second time only if nothing has left at the first."""
        body = {
            "number": int(sms.phone_number.removeprefix("+")),
            "text": sms.text,
            "sign": settings.SMS_AERO_SIGN,
        }
        try:
            return self._post("sms/send", body, seconds=sms.seconds_left * 3 / 4)
        except NotSent:
            return self._post("sms/send", body, seconds=sms.seconds_left * 3 / 4)

    def _is_settled(self, sms: Sms, tried: Attempt) -> bool:
        """Whether it went out then; raises SmsUnsure while that cannot be told."""
        found = self._find(sms, since=tried.since)
        if found is None or (not found and tried.seconds_to_repeat):
            raise SmsUnsure(is_new=False)
        return found

    def _find_or_raise(self, sms: Sms, *, since: float) -> None:
        if not self._find(sms, since=since):  # that it is not there yet proves nothing
            raise SmsUnsure

    def _find(self, sms: Sms, *, since: float) -> bool | None:
        """Whether it is among the accepted ones; None if they cannot be looked at."""
        number = int(sms.phone_number.removeprefix("+"))
        body = {"number": number, "text": sms.text}
        try:
            answer = self._post("sms/list", body, seconds=sms.seconds_left)
        except (NotSent, NoAnswer) as error:
            _warn(sms, f"cannot be asked what it sent: {error}")
            return None
        if answer.status >= 300 or answer.fields.get("success") is not True:
            _warn(sms, f"answered {answer.status} to the question what it sent")
            return None
        data = answer.fields.get("data")
        rows = data.values() if isinstance(data, dict) else ()
        earliest = since - CLOCKS_APART_SECONDS
        return any(_is_it(row, sms, number, earliest) for row in rows)

    def _post(self, path: str, body: dict[str, Any], *, seconds: float) -> Answer:
        url = f"{settings.SMS_AERO_URL.rstrip('/')}/{path}"
        auth = (settings.SMS_AERO_EMAIL, settings.SMS_AERO_API_KEY)
        return post(url, body, seconds=seconds, auth=auth)


def _is_accepted(answer: Answer) -> bool:
    data = answer.fields.get("data")
    is_rejected = isinstance(data, dict) and data.get("status") == REJECTED
    return (
        answer.status < 300 and answer.fields.get("success") is True and not is_rejected
    )


def _is_it(row: object, sms: Sms, number: int, earliest: float) -> bool:
    if not isinstance(row, dict):
        return False  # `links` and `totalCount` stand among the messages
    created_at = row.get("dateCreate")
    return (
        str(row.get("number")) == str(number)
        and str(row.get("text")).split() == sms.text.split()
        and isinstance(created_at, int | float)
        and created_at >= earliest
        and row.get("status") != REJECTED
    )


def _tell_operators(sms: Sms, answer: Answer) -> None:
    said = str(answer.fields.get("message") or answer.fields.get("reason") or "")
    is_out_of_money = answer.fields.get("result") == "no credits" or re.search(
        r"money|balance|credits|средств|баланс", said, re.IGNORECASE
    )
    if answer.status in (401, 403):
        logger.error(
            "SMS Aero refuses SMS_AERO_EMAIL and SMS_AERO_API_KEY: no SMS go out"
        )
    elif answer.status == 402 or is_out_of_money:
        logger.error("SMS Aero's balance is used up: no SMS go out")
    else:
        # Its text might repeat the number or the code.
        _warn(sms, f"answered {answer.status} {re.sub(r'[0-9]', '•', said)[:100]!r}")


def _warn(sms: Sms, what: str) -> None:
    phone = sms.phone_number.masked
    logger.warning("SMS Aero %s (SMS to %s)", what, phone)
