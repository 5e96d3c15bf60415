from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from users.login import kill_switch


class Command(BaseCommand):
    help = "The kill switch for SMS: stop, start, or show the state."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["stop", "start", "status"])

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "stop":
            kill_switch.stop_sending()
        elif action == "start":
            kill_switch.start_sending()
        state = "stopped" if kill_switch.is_sending_stopped() else "going on"
        self.stdout.write(f"Sending is {state}.")
