"""Stands in for a provider: takes its time, then prints the message."""

import random
import sys
import time

from django.conf import settings

from users.sms import Sms, SmsBackend


class ConsoleBackend(SmsBackend):
    simulated = True
    can_be_unsure = False

    def send(self, sms: Sms) -> None:
        time.sleep(random.uniform(*settings.SMS_SIMULATED_DELAY))  # noqa: S311  a delay
        phone = sms.phone_number.masked
        sys.stdout.write(f"SMS to {phone}: {sms.text}\n")
        sys.stdout.flush()
