"""Stands in for a provider: takes its time, then prints the message."""

import random
import sys
import time

from django.conf import settings

from users.phones import mask_phone_number
from users.sms import SmsBackend


class ConsoleBackend(SmsBackend):
    simulated = True

    def send(self, *, phone_number: str, text: str) -> None:
        time.sleep(random.uniform(*settings.SMS_SIMULATED_DELAY))  # noqa: S311  a delay
        sys.stdout.write(f"SMS to {mask_phone_number(phone_number)}: {text}\n")
        sys.stdout.flush()
