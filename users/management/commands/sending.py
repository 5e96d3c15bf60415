from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from users.login import send_limits


class Command(BaseCommand):
    help = "The kill switch for SMS: stop, start, or show the state."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["stop", "start", "status"])

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "stop":
            send_limits.stop()
        elif action == "start":
            send_limits.start()
        state = "stopped" if send_limits.is_stopped() else "going on"
        self.stdout.write(f"Sending is {state}.")
