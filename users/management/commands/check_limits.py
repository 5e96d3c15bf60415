from typing import Any

from django.core.management.base import BaseCommand

from users.login import takeover_risk as risk

NETWORKS = (1, 10, 100, risk.NETWORKS)


class Command(BaseCommand):
    help = "Show what attackers can reach under the limits that are set, at worst."

    def handle(self, *args: Any, **options: Any) -> None:
        self._show_one_number()
        self._show_service()
        for problem in risk.problems():
            self.stderr.write(problem)

    def _show_one_number(self) -> None:
        self.stdout.write(f"One number, in a month, networks: {risk.NETWORKS:,}")
        for stage in risk.stages_of_number():
            self.stdout.write(
                f"  {stage.guesses:>8,} wrong guesses at {stage.digits} digits: "
                f"{stage.chance:.5%}"
            )
        self.stdout.write("Chance of a takeover of one number in a year:")
        for networks in NETWORKS:
            chance = risk.takeover_chance(networks)
            self._row(f"strangers, networks: {networks:,}", f"{chance:.2%}")
        known = risk.takeover_chance_by_known_devices()
        self._row("known devices, such as a former owner's", f"{known:.2%}")
        self._row("together", f"{risk.takeover_chance() + known:.2%}")
        self.stdout.write("At worst, strangers can")
        self._row("make an owner wait for a new code for", f"{risk.longest_wait()} s")
        self._row("send one number a day", f"{risk.sms_a_day_to_a_number():,.0f} SMS")

    def _show_service(self) -> None:
        self.stdout.write("Accounts taken over in a year, on average:")
        self._row("by one network", f"{risk.accounts_per_network():.2f}")
        for networks in NETWORKS:
            accounts = risk.accounts_of_service(networks)
            self._row(f"by all, networks: {networks:,}", f"{accounts:.2f}")
        self.stdout.write("SMS in a year, at worst:")
        self._row("in all", f"{risk.sms_a_year():,.0f}")
        free = risk.sms_a_year_without_challenge()
        self._row("to strangers who solve no challenge", f"{free:,.0f}")

    def _row(self, label: str, figure: str) -> None:
        self.stdout.write(f"  {label:<56} {figure:>12}")
