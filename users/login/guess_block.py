import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class GuessBlock:
    """Until when a browser has no guesses at its codes."""

    until: float  # seconds since the epoch

    @property
    def seconds_left(self) -> int:
        return max(math.ceil(self.until - time.time()), 0)

    @property
    def ends_at(self) -> datetime:
        return datetime.fromtimestamp(math.ceil(self.until), tz=UTC)


def guess_block(until: float) -> GuessBlock | None:
    """None if it is over."""
    block = GuessBlock(until)
    return block if block.seconds_left else None
