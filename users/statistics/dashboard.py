"""The dashboard of the admin site: the last days, with codes sent and sign-ins."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from referrals.came_by import CameBy
from users.models import DayCount, User
from users.statistics import daily_counts
from users.statistics.last_days import DAYS, Stats, last_days, share

WINDOWS = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    new_people: int
    link_opens: int
    codes_sent: int
    sms_failures: int
    sign_ins: int
    activations: int

    @property
    def sign_in_share(self) -> float | None:
        """Sign-ins per code sent, from 0 to 1."""
        return share(self.sign_ins, self.codes_sent)

    @property
    def failure_share(self) -> float | None:
        """Messages that failed, of all that were tried, from 0 to 1."""
        return share(self.sms_failures, self.sms_failures + self.codes_sent)


@dataclass(frozen=True, slots=True)
class Change:
    """The window's whole days against as many whole days before them."""

    now: int
    before: int

    @property
    def percent(self) -> int | None:
        if not self.before:
            return None
        return round(100 * (self.now - self.before) / self.before)


@dataclass(frozen=True, slots=True)
class Burst:
    inviter_id: int
    phone_number: str
    hour: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Dashboard:
    days: list[Day]  # today last
    changes: dict[str, Change]  # by the names of Day's counts
    top_inviters: list[tuple[int, str, int]]  # id, phone number, activations
    bursts: list[Burst]
    came_by: list[tuple[str, int]]  # how invite codes came: a label, activations

    @property
    def total(self) -> Day:
        return _sum(self.days)


def dashboard(days: int = DAYS) -> Dashboard:
    stats = last_days(days)
    counted = _days(stats)
    phone_numbers = _phone_numbers(stats)
    now, before = _sum(counted[-days - 1 : -1]), _sum(counted[: -days - 1])
    return Dashboard(
        days=counted[-days:],
        changes={
            name: Change(getattr(now, name), getattr(before, name)) for name in COUNTS
        },
        # Without those whose accounts were deleted since the result was cached.
        top_inviters=[
            (row["id"], phone_numbers[row["id"]], row["count"])
            for row in stats["top_inviters"]
            if row["id"] in phone_numbers
        ],
        bursts=[
            Burst(
                row["id"],
                phone_numbers[row["id"]],
                datetime.fromisoformat(row["hour"]),
                row["count"],
            )
            for row in stats["bursts"]
            if row["id"] in phone_numbers
        ],
        came_by=[
            (
                str(CameBy(row["came_by"]).label) if row["came_by"] else "",
                row["count"],
            )
            for row in stats["came_by"]
        ],
    )


COUNTS = [field.name for field in fields(Day) if field.name != "day"]


def funnel(stats: Stats) -> list[dict[str, Any]]:
    """Day by day, from the opened link to the activation, for the staff API."""
    steps = ("link_opens", "codes_sent", "sign_ins", "activations")
    window = _days(stats)[-len(stats["activations_per_day"]) :]
    return [
        {"date": day.day} | {step: getattr(day, step) for step in steps}
        for day in window
    ]


def _days(stats: Stats) -> list[Day]:
    new_people = stats["new_people_before"] + stats["new_people_per_day"]
    activations = stats["activations_before"] + stats["activations_per_day"]
    dates = [date.fromisoformat(row["date"]) for row in new_people]
    counts = daily_counts.numbers(dates)
    return [
        _day(counts[day], joined["count"], activated["count"])
        for day, joined, activated in zip(dates, new_people, activations, strict=True)
    ]


def _day(counts: DayCount, new_people: int, activations: int) -> Day:
    return Day(
        day=counts.day,
        new_people=new_people,
        link_opens=counts.link_opens,
        codes_sent=counts.codes_sent,
        sms_failures=counts.sms_failures,
        sign_ins=counts.sign_ins,
        activations=activations,
    )


def _sum(days: list[Day]) -> Day:
    """The sums of all days, with the first one's date."""
    sums = {name: sum(getattr(day, name) for day in days) for name in COUNTS}
    return Day(day=days[0].day, **sums)


def _phone_numbers(stats: Stats) -> dict[int, str]:
    pks = {row["id"] for row in [*stats["top_inviters"], *stats["bursts"]]}
    people = User.objects.filter(pk__in=pks)
    return dict(people.values_list("pk", "phone_number"))
