from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from users.login import send_limits as sending


class Command(BaseCommand):
    help = "The kill switch of SMS: stop, start, or say which it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["stop", "start", "status"])

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "stop":
            sending.stop()
        elif action == "start":
            sending.start()
        state = "stopped" if sending.is_stopped() else "going on"
        self.stdout.write(f"Sending is {state}.")
