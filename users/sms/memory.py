"""For tests: keeps messages in `outbox`, as Django's `locmem` e-mail backend does."""

from typing import NamedTuple

from users.sms import SmsBackend


class Message(NamedTuple):
    phone_number: str
    text: str


outbox: list[Message] = []


class MemoryBackend(SmsBackend):
    simulated = True

    def send(self, *, phone_number: str, text: str) -> None:
        outbox.append(Message(phone_number, text))
