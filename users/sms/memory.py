"""For tests: keeps messages in `outbox`, as Django's `locmem` e-mail backend does."""

from typing import NamedTuple

from users.sms import Sms, SmsBackend


class Message(NamedTuple):
    phone_number: str
    text: str


outbox: list[Message] = []


class MemoryBackend(SmsBackend):
    simulated = True
    can_be_unsure = False

    def send(self, sms: Sms) -> None:
        outbox.append(Message(sms.phone_number, sms.text))
