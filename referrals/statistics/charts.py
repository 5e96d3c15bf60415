"""The numbers of a bar chart, for an SVG of 100 by 40 units in a template."""

from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 100, 40
GAP = 0.25  # share of a bar's slot


@dataclass(frozen=True, slots=True)
class Bar:
    day: date
    number: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class BarChart:
    bars: list[Bar]

    @property
    def total(self) -> int:
        return sum(bar.number for bar in self.bars)

    @property
    def last_7_days(self) -> int:
        return sum(bar.number for bar in self.bars[-7:])

    @property
    def highest(self) -> int:
        return max(bar.number for bar in self.bars)

    @property
    def days_with_any(self) -> list[Bar]:
        return [bar for bar in reversed(self.bars) if bar.number]


def bar_chart(numbers: dict[date, int]) -> BarChart:
    slot = WIDTH / len(numbers)
    highest = max(numbers.values()) or 1
    bars = []
    for position, (day, number) in enumerate(numbers.items()):
        height = round(number / highest * HEIGHT, 2)
        bars.append(
            Bar(
                day=day,
                number=number,
                x=round((position + GAP / 2) * slot, 2),
                y=round(HEIGHT - height, 2),
                width=round(slot * (1 - GAP), 2),
                height=height,
            )
        )
    return BarChart(bars)
