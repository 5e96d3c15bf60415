"""The dashboard of the admin site: the last days, with codes sent and sign-ins."""

from dataclasses import dataclass
from datetime import date

from users.models import User
from users.statistics import daily_counts
from users.statistics.last_days import last_days, share


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    new_people: int
    activations: int
    codes_sent: int
    sign_ins: int

    @property
    def sign_in_share(self) -> float | None:
        """Sign-ins per code sent, from 0 to 1."""
        return share(self.sign_ins, self.codes_sent)


@dataclass(frozen=True, slots=True)
class Dashboard:
    days: list[Day]  # today last
    top_inviters: list[tuple[int, str, int]]  # id, phone number, activations

    @property
    def total(self) -> Day:
        """The sums of all days, with the first one's date."""
        names = ("new_people", "activations", "codes_sent", "sign_ins")
        sums = {name: sum(getattr(day, name) for day in self.days) for name in names}
        return Day(day=self.days[0].day, **sums)


def dashboard() -> Dashboard:
    stats = last_days()
    dates = [date.fromisoformat(row["date"]) for row in stats["new_people_per_day"]]
    counts = daily_counts.numbers(dates)
    per_day = zip(
        dates, stats["new_people_per_day"], stats["activations_per_day"], strict=True
    )
    top = {row["id"]: row["count"] for row in stats["top_inviters"]}
    inviters = User.objects.filter(pk__in=top)
    phone_numbers = dict(inviters.values_list("pk", "phone_number"))
    return Dashboard(
        days=[
            Day(
                day=day,
                new_people=new_people["count"],
                activations=activations["count"],
                codes_sent=counts[day].codes_sent,
                sign_ins=counts[day].sign_ins,
            )
            for day, new_people, activations in per_day
        ],
        top_inviters=[
            (pk, phone_numbers[pk], count)
            for pk, count in top.items()
            if pk in phone_numbers  # not deleted since the result was cached
        ],
    )
