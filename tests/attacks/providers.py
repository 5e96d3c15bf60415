"""SMS backends for attacks."""

from typing import Any

from django.core.cache import cache

from users.sms import Sms, SmsBackend


class Silent(SmsBackend):
    """Accepts every message and prints nothing, so no SMS text is in the log."""

    simulated = True

    def send(self, sms: Sms) -> None:
        pass


class Mistaken(SmsBackend):
    simulated = True

    def send(self, sms: Sms) -> None:
        raise ConnectionError("502 Bad Gateway")


class Phones(SmsBackend):
    """Puts the messages where a test reads them, as on the phone of each number."""

    simulated = True

    def send(self, sms: Sms) -> None:
        redis: Any = cache
        redis.client.get_client().rpush(f"phone:{sms.phone_number}", sms.text)
