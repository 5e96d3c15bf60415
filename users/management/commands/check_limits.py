from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from users.login import takeover_risk as risk


class Command(BaseCommand):
    help = "Show what an attacker may hope for under the limits that are set."

    def handle(self, *args: Any, **options: Any) -> None:
        month = settings.LIMITS["guesses_per_phone_month"]
        days = month.seconds / 86_400 if month else 365
        self.stdout.write(f"One number, in {days:g} days:")
        for stage in risk.stages():
            self.stdout.write(
                f"  {stage.guesses:>8} wrong guesses at {stage.digits} digits: "
                f"{stage.chance:.5%}"
            )
        chance = risk.takeover_chance_in_a_year()
        self.stdout.write(f"One number, in a year: {chance:.2%}")
        known = risk.takeover_chance_in_a_year_by_a_known_device()
        self.stdout.write(
            f"One number, in a year, by a device that signed in on it once: {known:.2%}"
            " more"
        )
        accounts = risk.accounts_in_a_year_per_address()
        self.stdout.write(
            f"Many numbers, in a year: {accounts:.1f} accounts an address"
        )
        if max(chance, known) > risk.HIGH_TAKEOVER_CHANCE:
            self.stderr.write(f"This is more than {risk.HIGH_TAKEOVER_CHANCE:.0%}.")
