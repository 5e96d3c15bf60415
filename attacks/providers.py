"""SMS providers as an attack needs them: silent, down, slow."""

import time

from users.exceptions import SmsUnavailable
from users.sms import Sms, SmsBackend

SLOW_SECONDS = 14


class Silent(SmsBackend):
    """Accepts every message and prints nothing, so a log shows what we write to it."""

    simulated = True

    def send(self, sms: Sms) -> None:
        pass


class InTrouble(SmsBackend):
    """In the trouble that the number's last digit asks for."""

    simulated = True

    def send(self, sms: Sms) -> None:
        digit = sms.phone_number[-1]
        if digit == "2":  # waits as long as a careful backend would, then gives up
            time.sleep(3)
        elif digit == "3":  # what an HTTP client raises at a 4xx, a 5xx
            raise ConnectionError("502 Bad Gateway")
        elif digit == "4":  # never fails, and never hurries
            time.sleep(SLOW_SECONDS)
            return
        raise SmsUnavailable
