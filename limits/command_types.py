"""The commands on counters, locks and lists in the cache; `limits.commands` runs them.

Each class says what is stored under its key, and for how long (TTL). Its methods change
what is kept in memory: without Redis there is one process. In Redis `commands.lua` does
the same. The tests run on both.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.cache import cache

from limits.slots import tag_of

# Parts of a sliding period. More are more exact, and take more memory.
SLICES = 12
_NO_LIMIT = 10**9


class CommandRefused(Exception):
    """No command of the list was run, because this one refuses.

    `wait`: milliseconds until it may no longer refuse; 0 if that is not known.
    """

    def __init__(self, command: "Command", wait: int) -> None:
        super().__init__(command.name)
        self.command = command
        self.wait = wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something that may refuse, and otherwise returns a number and can be refunded.

    `name` tells which of the commands refused.
    """

    name: str
    key: str

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.key,)

    @property
    def arguments(self) -> dict[str, Any]:
        """What the script needs beside the keys."""
        return {}

    @property
    def charges(self) -> bool:
        """Whether it changes anything that can be refunded."""
        return True

    def alone(self) -> "Command":
        """Without the keys of other commands, which a refund does not need."""
        return self

    def refuses(self) -> bool:
        return False

    def wait(self) -> int:
        """Milliseconds until it may no longer refuse; 0 if that is not known."""
        return 0

    def run(self) -> int:
        return 0

    def refund(self) -> None:
        pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally(Command):
    """Counts and never refuses. Returns the count, this one included.

    Key: what is counted. Value: how many. TTL: `seconds`, from the first one.
    """

    seconds: float

    @property
    def arguments(self) -> dict[str, Any]:
        return {"milliseconds": _milliseconds(self.seconds)}

    def run(self) -> int:
        if before := _number(self.key):
            with suppress(ValueError):  # expired since the line above
                cache.incr(self.key)
        else:
            cache.set(self.key, 1, _milliseconds(self.seconds) / 1000)
        return before + 1

    def refund(self) -> None:
        with suppress(ValueError):  # expired since: there is nothing to refund
            cache.decr(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptCount(Command):
    """Returns how many attempts there were in the last `seconds`; changes nothing.

    Attempts are counted in slices, each a twelfth of the period. The current slice and
    the twelve before it count. So an attempt counts for at least `seconds` and for at
    most a twelfth longer. No period of `seconds` contains more attempts than the limit.

    Key: whose attempts. Value: attempts in each slice. TTL: that of the last slice.
    """

    seconds: int
    made_at: float = field(default_factory=time.time, compare=False)

    @property
    def arguments(self) -> dict[str, Any]:
        return self._period()

    @property
    def charges(self) -> bool:
        return False

    def run(self) -> int:
        return sum(self._counts().values())

    def _period(self) -> dict[str, int]:
        return {
            "now": int(self.made_at * 1000),
            "slice_milliseconds": self._slice_milliseconds,
            "slices": SLICES,
        }

    @property
    def _slice_milliseconds(self) -> int:
        return max(self.seconds * 1000 // SLICES, 1)

    @property
    def _slice(self) -> int:
        return int(self.made_at * 1000) // self._slice_milliseconds

    def _until_end_of(self, n: int) -> int:
        """Milliseconds until the attempts in slice `n` no longer count."""
        ends_at = (n + SLICES + 1) * self._slice_milliseconds
        return ends_at - int(self.made_at * 1000)

    def _counts(self) -> dict[int, int]:
        """The attempts in each slice that still counts, oldest first."""
        stored: dict[int, int] = cache.get(self.key) or {}
        return {n: stored[n] for n in sorted(stored) if n >= self._slice - SLICES}

    def _store(self, counts: dict[int, int]) -> None:
        lifetime = self._slice_milliseconds * (SLICES + 1) / 1000
        cache.set(
            self.key, {n: count for n, count in counts.items() if count}, lifetime
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeUntilFewer(AttemptCount):
    """Returns the milliseconds until fewer attempts count; 0 if none does.

    Key and value: as AttemptCount.
    """

    def run(self) -> int:
        oldest = next(iter(self._counts()), None)
        return 0 if oldest is None else self._until_end_of(oldest)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimit(AttemptCount):
    """At most `limit` attempts in any period of `seconds`.

    Returns the attempts in the period, this one included. `amount` is how many this one
    counts for: with 0 it is only checked. With `unless`, this limit refuses only if the
    limit `unless` is reached, too. `unless` is only read. If its key belongs to another
    step, an earlier step must contain an AttemptLimit with that key.
    """

    limit: int
    amount: int = 1
    unless: "AttemptLimit | None" = None

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.key, self.unless.key) if self.unless else (self.key,)

    @property
    def charges(self) -> bool:
        return self.amount > 0

    def alone(self) -> "AttemptLimit":
        return replace(self, unless=None)

    def after(self, made: Mapping[str, int]) -> "AttemptLimit":
        """This limit once the earlier steps have run.

        `made`: by key, the attempts before this one that they have counted.
        """
        if not self.unless or tag_of(self.unless.key) == tag_of(self.key):
            return self
        is_exempt = made[self.unless.key] < self.unless.limit
        limit = _NO_LIMIT if is_exempt else self.limit
        return replace(self, limit=limit, unless=None)

    @property
    def arguments(self) -> dict[str, Any]:
        facts = {**self._period(), "limit": self.limit, "amount": self.amount}
        return {**facts, "unless": self.unless.arguments} if self.unless else facts

    def refuses(self) -> bool:
        if sum(self._counts().values()) < self.limit:
            return False
        return self.unless is None or self.unless.refuses()

    def wait(self) -> int:
        counts = self._counts()
        total = sum(counts.values())
        for n, count in counts.items():
            total -= count
            if total < self.limit:
                return self._until_end_of(n)
        return self._slice_milliseconds * SLICES  # a limit of 0 lets nobody through

    def run(self) -> int:
        counts = self._counts()
        if self.amount:
            counts[self._slice] = counts.get(self._slice, 0) + self.amount
            self._store(counts)
        return sum(counts.values())

    def refund(self) -> None:
        """Take back `amount` attempts, the latest first."""
        counts, left = self._counts(), self.amount
        for n in reversed(counts):
            taken = min(left, counts[n])
            counts[n] -= taken
            left -= taken
        self._store(counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class DistinctLimit(AttemptLimit):
    """At most `limit` different items in any period; the same item again is free.

    Returns the items in the period, or 0 if this item was counted before.

    Key and value: as AttemptLimit. The item has a key of its own for `seconds`, from
    the first attempt with it. Its value is the number of attempts: the item is refunded
    with the last of them.
    """

    item_key: str

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.key, self.item_key)

    def refuses(self) -> bool:
        return not cache.get(self.item_key) and AttemptLimit.refuses(self)

    def run(self) -> int:
        if cache.get(self.item_key):
            cache.incr(self.item_key)
            return 0
        cache.set(self.item_key, 1, self.seconds)
        return AttemptLimit.run(self)

    def refund(self) -> None:
        made = _number(self.item_key)
        if made > 1:
            cache.decr(self.item_key)
        elif made == 1:
            AttemptLimit.refund(self)
            cache.delete(self.item_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock(Command):
    """One holder at a time, until the lock expires or is refunded. Returns 1.

    Key: what is locked. Value: the moment at which others may try again, in
    milliseconds since the epoch; only told, never compared. TTL: `seconds`.
    """

    free_at: float  # seconds since the epoch
    seconds: float

    @property
    def arguments(self) -> dict[str, Any]:
        return {
            "value": int(self.free_at * 1000),
            "milliseconds": _milliseconds(self.seconds),
        }

    def refuses(self) -> bool:
        return cache.get(self.key) is not None

    def run(self) -> int:
        moment = int(self.free_at * 1000)
        cache.set(self.key, moment, _milliseconds(self.seconds) / 1000)
        return 1

    def refund(self) -> None:
        cache.delete(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Countdown(Command):
    """Takes `amount` from a number that was stored before. Returns what is left.

    Refuses when nothing is left, and when the key is gone: deleting it ends the
    countdown for everybody. With an amount of 0 it is only checked.

    Key: what is counted down. Value: how many are left. TTL: set by whoever stores it.
    """

    amount: int = 1

    @property
    def arguments(self) -> dict[str, Any]:
        return {"amount": self.amount}

    @property
    def charges(self) -> bool:
        return self.amount > 0

    def refuses(self) -> bool:
        return _number(self.key) <= 0

    def run(self) -> int:
        with suppress(ValueError):  # deleted since `refuses`, and stays deleted
            return int(cache.decr(self.key, self.amount))
        return 0

    def refund(self) -> None:
        with suppress(ValueError):
            cache.incr(self.key, self.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Command):
    """Refuses while the key exists. Returns 0.

    Key: what is switched off. Value: 1. TTL: none.
    """

    @property
    def charges(self) -> bool:
        return False

    def refuses(self) -> bool:
        return cache.get(self.key) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddToHistory(Command):
    """Adds an entry at the head of a short list. Returns 0.

    It is not refunded: run it only together with commands that never refuse.

    Key: what the list is about. Value: the last `at_most` entries, newest first. TTL:
    `seconds` from the last entry.
    """

    entry: str
    at_most: int
    seconds: int

    @property
    def charges(self) -> bool:
        return False

    @property
    def arguments(self) -> dict[str, Any]:
        return {
            "entry": self.entry,
            "at_most": self.at_most,
            "seconds": self.seconds,
        }

    def run(self) -> int:
        kept: list[str] = cache.get(self.key) or []
        cache.set(self.key, [self.entry, *kept][: self.at_most], self.seconds)
        return 0


def _number(key: str) -> int:
    number: int = cache.get(key, 0)
    return number


def _milliseconds(seconds: float) -> int:
    return max(int(seconds * 1000), 1000)
