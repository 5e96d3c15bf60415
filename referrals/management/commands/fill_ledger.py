from typing import Any

from django.core.management.base import BaseCommand

from referrals.ledger_history import add_history


class Command(BaseCommand):
    help = (
        "Add to the ledger what happened before the service kept one. Run it once, "
        "when no process of the earlier version runs any more. Again does no harm."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{add_history()} people looked at.")
