"""SMS providers as an attack needs them: silent, down, slow."""

import time

from users.exceptions import SmsUnavailable
from users.sms import SmsBackend

SLOW_SECONDS = 14


class Silent(SmsBackend):
    """Accepts every message and prints nothing, so a log shows what we write to it."""

    simulated = True

    def send(self, *, phone_number: str, text: str) -> None:
        pass


class Down(SmsBackend):
    simulated = True

    def send(self, *, phone_number: str, text: str) -> None:
        raise SmsUnavailable


class Slow(SmsBackend):
    """Never fails, and never hurries."""

    simulated = True

    def send(self, *, phone_number: str, text: str) -> None:
        time.sleep(SLOW_SECONDS)


class GivesUp(SmsBackend):
    """Waits for its provider as long as a careful one would, then refuses."""

    simulated = True

    def send(self, *, phone_number: str, text: str) -> None:
        time.sleep(3)
        raise SmsUnavailable


class Broken(SmsBackend):
    """Lets through what its HTTP client raised: a timeout, a 4xx, a 5xx."""

    simulated = True

    def send(self, *, phone_number: str, text: str) -> None:
        raise ConnectionError("502 Bad Gateway")
