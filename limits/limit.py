from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` in each window of `seconds`."""

    count: int
    seconds: int
