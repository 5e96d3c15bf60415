"""SMS backends for attacks."""

from typing import Any

from django.core.cache import cache

from users.channels import Backend, CodeMessage


class Silent(Backend):
    """Accepts every message and prints nothing, so no SMS text is in the log."""

    simulated = True

    def send(self, message: CodeMessage) -> None:
        pass


class Mistaken(Backend):
    simulated = True

    def send(self, message: CodeMessage) -> None:
        raise ConnectionError("502 Bad Gateway")


class Phones(Backend):
    """Puts the messages where a test reads them, as on the phone of each number."""

    simulated = True

    def send(self, message: CodeMessage) -> None:
        redis: Any = cache
        redis.client.get_client().rpush(f"phone:{message.phone_number}", message.text)
