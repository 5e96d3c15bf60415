"""Carrying login codes to people: by SMS, by call, in a messenger.

A backend is a class that hands one message to one provider. SMS_BACKEND names it, as a
dotted path; SMS_CHAIN names several. It is made anew for each message. `sending`
chooses among them.
"""

import math
import secrets
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import ClassVar

from django.conf import settings
from django.utils import translation
from django.utils.translation import get_language

from users.channels import text
from users.phones import PhoneNumber


class Channel(StrEnum):
    """How a code reaches a person. The values are part of the API."""

    SMS = "sms"
    CALL = "call"  # the code is the last digits of the number that calls
    TELEGRAM = "telegram"
    VOICE = "voice"  # a call in which a voice says the code


class DeliveryStatus(StrEnum):
    """What became of a message that a provider accepted. Part of the API."""

    SENT = "sent"  # nothing else is known yet
    DELIVERED = "delivered"
    FAILED = "failed"


class Purpose(StrEnum):
    """What a code is for. The values go to providers."""

    SIGN_IN = "sign_in"
    CHANGE_FROM = "change_from"  # to the number that an account has until now
    CHANGE_TO = "change_to"  # to the number that it is to get


@dataclass(frozen=True, slots=True)
class Attempt:
    """One that the provider may have accepted. Times are seconds since the epoch."""

    key: str
    since: float  # when the message was made; its text says so many minutes from then
    at: float  # the last attempt
    by: str  # dotted path of the backend
    language: str = ""  # of the message

    @property
    def seconds_to_repeat(self) -> int:
        """The provider may still send it. Until then nothing is sent anew."""
        ends_at = self.at + settings.LOGIN_CODE_RESEND_SECONDS[0]
        return max(math.ceil(ends_at - time.time()), 0)


def _deadline() -> float:
    return time.monotonic() + settings.SMS_TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMessage:
    """A code on its way to a phone number."""

    phone_number: PhoneNumber
    code: str = field(repr=False)  # its digits
    purpose: Purpose
    expires_at: float  # seconds since the epoch
    # The number gets no other code until this one expires.
    is_last: bool = False
    # Last digits of the number that the account is to get, for CHANGE_FROM.
    new_number_end: str = ""
    language: str = field(default_factory=lambda: get_language() or "en")
    made_at: float = field(default_factory=time.time)  # seconds since the epoch
    # For idempotency: the same at each attempt at one message.
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    deadline: float = field(default_factory=_deadline)  # by time.monotonic()
    tried: Attempt | None = None

    def again(self) -> "CodeMessage":
        """The same text as in the attempt `tried`: providers compare repeats."""
        if self.tried is None:
            return self
        language = self.tried.language or self.language
        return replace(self, made_at=self.tried.since, language=language)

    @property
    def length(self) -> int:
        return len(self.code)

    @property
    def seconds_left(self) -> float:
        """Until the deadline."""
        return max(self.deadline - time.monotonic(), 0)

    @property
    def text(self) -> str:
        """What an SMS or a messenger shows."""
        with translation.override(self.language):
            return self._template() % {"code": self.code}

    @property
    def spoken_text(self) -> str:
        """What a voice says: the digits one by one, twice."""
        with translation.override(self.language):
            return text.spoken_text(
                self.code, is_sign_in=self.purpose == Purpose.SIGN_IN
            )

    def _template(self) -> str:
        if self.is_last:
            return text.last_code_text(max(int(self.expires_at - self.made_at), 0))
        if self.purpose == Purpose.CHANGE_FROM:
            return text.change_from_text(self.new_number_end)
        if self.purpose == Purpose.CHANGE_TO:
            return text.change_to_text()
        return text.login_code_text()


class Backend(ABC):
    channel: ClassVar[Channel] = Channel.SMS
    # True where no message leaves the machine; only then may a code be shown.
    simulated = False
    # False where send never raises SmsUnsure: then there is nothing to find out later.
    can_be_unsure = True

    @abstractmethod
    def send(self, message: CodeMessage) -> str | None:
        """Return by the deadline, when the message is accepted.

        Returns the provider's id of it, if `ask_status` can ask about it later.

        Raises SmsUnavailable when it surely was not (MessageRefused if only because of
        what it is or whom it is for), SmsUnsure when it may have been; `is_new` if by
        this attempt, not by `message.tried`.
        """

    def can_send(self, message: CodeMessage) -> bool:
        """Whether this channel can carry this code to this number."""
        return True

    def ask_status(self, provider_id: str, *, seconds: float) -> DeliveryStatus | None:
        """What the provider knows of a message; None if it does not tell.

        Raises NotSent and NoAnswer of `http`.
        """
        return None

    @classmethod
    def problems(cls) -> list[str]:
        """Why the service cannot start with this backend, one sentence a reason."""
        return []
