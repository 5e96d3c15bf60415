"""Stands in for a provider: takes its time, then prints the message in a box."""

import random
import sys
import time

from django.conf import settings

from users.channels import Backend, Channel, CodeMessage
from users.channels.flash_call import can_be_called


class ConsoleBackend(Backend):
    simulated = True
    can_be_unsure = False

    def send(self, message: CodeMessage) -> None:
        self._print(f"SMS to {message.phone_number.masked}", message.text)

    def _print(self, *lines: str) -> None:
        time.sleep(random.uniform(*settings.SMS_SIMULATED_DELAY))  # noqa: S311  a delay
        sys.stdout.write(_box("\n".join(lines)))
        sys.stdout.flush()


class ConsoleCallBackend(ConsoleBackend):
    """For a chain on a developer's machine, to see the pages with several channels."""

    channel = Channel.CALL

    def send(self, message: CodeMessage) -> None:
        self._print(f"Call to {message.phone_number.masked}", f"from …{message.code}")

    def can_send(self, message: CodeMessage) -> bool:
        return can_be_called(message)


def _box(text: str) -> str:
    """Easy to find between log lines. One string, so that no other line gets inside."""
    lines = text.splitlines()
    width = max(map(len, lines))
    edge = "─" * (width + 2)
    rows = "".join(f"  │ {line:{width}} │\n" for line in lines)
    return f"\n  ┌{edge}┐\n{rows}  └{edge}┘\n\n"
