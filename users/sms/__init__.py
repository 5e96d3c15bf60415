"""Sending text messages through the backend that SMS_BACKEND names.

Like Django's e-mail backends: a dotted path to a class, made anew for each message.
"""

from abc import ABC, abstractmethod

from django.conf import settings
from django.utils.module_loading import import_string

from config.metrics import timed_sms


class SmsBackend(ABC):
    # True where no message leaves the machine; only then may a code be shown.
    simulated = False

    @abstractmethod
    def send(self, *, phone_number: str, text: str) -> None:
        """Return when the message is accepted; raise SmsUnavailable when it is not."""


def backend_class() -> type[SmsBackend]:
    """Raises ImportError when SMS_BACKEND names nothing."""
    found: type[SmsBackend] = import_string(settings.SMS_BACKEND)
    return found


def send_sms(*, phone_number: str, text: str) -> None:
    """Raises SmsUnavailable."""
    with timed_sms():
        backend_class()().send(phone_number=phone_number, text=text)
