from typing import Any

from django.core.management.base import BaseCommand

from users.devices import services


class Command(BaseCommand):
    help = "Delete devices and browser sessions that have expired. Run it once a day."

    def handle(self, *args: Any, **options: Any) -> None:
        for what, number in services.prune().items():
            self.stdout.write(f"{what}: {number} expired, deleted")
