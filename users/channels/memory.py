"""For tests: keeps messages in `outbox`, as Django's `locmem` e-mail backend does."""

from typing import NamedTuple

from users.channels import Backend, CodeMessage


class Message(NamedTuple):
    phone_number: str
    text: str


outbox: list[Message] = []


class MemoryBackend(Backend):
    simulated = True
    can_be_unsure = False

    def send(self, message: CodeMessage) -> None:
        outbox.append(Message(message.phone_number, message.text))
