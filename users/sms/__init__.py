"""Sending text messages through the backend that SMS_BACKEND names.

Like Django's e-mail backends: a dotted path to a class, made anew for each message.

A provider that does not answer in time may have accepted the message all the same, so
nothing sends it once more on suspicion. Who asks again makes us find out, by the
provider's list of messages or by the same idempotency key, what became of it; it is
sent anew only if it is not there when a second SMS would have been due anyway.
"""

import math
import secrets
import time
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from config.monitoring.metrics import timed_sms
from users.phones import PhoneNumber, country_of, type_of
from users.sms.exceptions import (
    CountryNotServed,
    NumberCannotReceiveSms,
    SmsUnavailable,
    SmsUnsure,
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One that the provider may have accepted; times in seconds since the epoch."""

    key: str
    since: float  # the first at this message
    at: float  # the last
    by: str  # dotted path of the backend, where there are several

    @property
    def seconds_to_repeat(self) -> int:
        """For so long the provider may still be at it, and nothing is sent anew."""
        ends_at = self.at + settings.LOGIN_CODE_RESEND_SECONDS[0]
        return max(math.ceil(ends_at - time.time()), 0)


@dataclass(frozen=True, slots=True)
class Sms:
    phone_number: PhoneNumber
    text: str
    key: str  # for idempotency: the same at each attempt at one message
    deadline: float  # by time.monotonic()
    tried: Attempt | None = None

    @property
    def seconds_left(self) -> float:
        return max(self.deadline - time.monotonic(), 0)


class SmsBackend(ABC):
    # True where no message leaves the machine; only then may a code be shown.
    simulated = False
    # False where send never raises SmsUnsure: then there is nothing to find out later.
    can_be_unsure = True

    @abstractmethod
    def send(self, sms: Sms) -> None:
        """Return by the deadline, when the message is accepted.

        Raises SmsUnavailable when it surely was not, SmsUnsure when it may have been;
        `is_new` if by this attempt, not by `sms.tried`.
        """

    @classmethod
    def problems(cls) -> list[str]:
        """What keeps it from starting, a sentence each."""
        return []


def backend_class() -> type[SmsBackend]:
    """Raises ImportError when SMS_BACKEND names nothing."""
    found: type[SmsBackend] = import_string(settings.SMS_BACKEND)
    return found


def check_destination(phone_number: PhoneNumber) -> None:
    """Raises CountryNotServed if SMS_COUNTRIES does not list the number's country.

    Raises NumberCannotReceiveSms if the number is of a kind that SMS_NUMBER_TYPES does
    not list, such as a landline or a premium-rate number.
    """
    served = settings.SMS_COUNTRIES
    if served and country_of(phone_number) not in served:
        raise CountryNotServed
    if type_of(phone_number) not in settings.SMS_NUMBER_TYPES:
        raise NumberCannotReceiveSms


def send_sms(*, phone_number: PhoneNumber, text: str) -> None:
    """Raises SmsUnavailable, and SmsUnsure when it may have been sent."""
    backend = backend_class()
    message = salted_hmac("users.sms", f"{phone_number} {text}", algorithm="sha256")
    mark = f"sms-tried:{message.hexdigest()}"
    seen = cache.get(mark) if backend.can_be_unsure else None
    tried = Attempt(**seen) if seen else None
    sms = Sms(
        phone_number=phone_number,
        text=text,
        key=tried.key if tried else secrets.token_hex(16),
        deadline=time.monotonic() + settings.SMS_TIMEOUT_SECONDS,
        tried=tried,
    )
    started = time.time()
    try:
        with timed_sms():
            backend().send(sms)
    except SmsUnsure as unsure:
        if unsure.is_new or tried is None:
            since = tried.since if tried else started
            tried = Attempt(sms.key, since, started, unsure.by)
            cache.set(mark, asdict(tried), settings.LOGIN_CODE_TTL_SECONDS)
        unsure.wait = max(tried.seconds_to_repeat, SmsUnavailable.wait)
        raise
    except SmsUnavailable:
        # What fails now says nothing of what was tried before.
        if tried and (seconds := tried.seconds_to_repeat):
            raise SmsUnsure(wait=seconds, is_new=False) from None
        raise
    if tried:
        cache.delete(mark)
