"""Commands on counters in the cache, run together: all of them, or none.

A list of commands is one atomic step. In Redis a script runs it (`commands.lua`) in one
round trip. Without Redis the methods below do the same in the memory of the one
process, under a lock. The tests run on both.

Each class says what is stored under its key, and for how long (TTL).
"""

import json
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from django.conf import settings
from django.core.cache import cache


class CommandRefused(Exception):
    """No command of the list was run, because this one refuses."""

    def __init__(self, command: "Command") -> None:
        super().__init__(command.name)
        self.command = command


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something that may refuse, and otherwise returns a number and can be refunded.

    `name` tells which of the commands refused.
    """

    name: str
    key: str
    item_key: ClassVar[str] = ""

    @property
    def arguments(self) -> dict[str, int]:
        """What the script needs beside the key."""
        return {}

    def refuses(self) -> bool:
        return False

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
    def arguments(self) -> dict[str, int]:
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
class AttemptLimit(Tally):
    """At most `limit` attempts in a window. Returns the attempts so far.

    Key: the limit, whose attempts it counts, and the window. Value: attempts so far.
    TTL: what is left of the window.
    """

    limit: int

    @property
    def arguments(self) -> dict[str, int]:
        return {"limit": self.limit, "milliseconds": _milliseconds(self.seconds)}

    def refuses(self) -> bool:
        return _number(self.key) >= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class DistinctLimit(AttemptLimit):
    """At most `limit` different items in a window; the same item again is free.

    Returns the items so far, or 0 if this item was counted before.

    Key: as AttemptLimit. Value: different items so far. TTL: what is left of the
    window. The item has a key of its own, with the value 1 and the same TTL.
    """

    item_key: str  # type: ignore[misc]  # a field here, a constant in the others

    def refuses(self) -> bool:
        return not cache.get(self.item_key) and _number(self.key) >= self.limit

    def run(self) -> int:
        if cache.get(self.item_key):
            return 0
        cache.set(self.item_key, 1, _milliseconds(self.seconds) / 1000)
        return Tally.run(self)

    def refund(self) -> None:
        Tally.refund(self)
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
    def arguments(self) -> dict[str, int]:
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
    """Takes one from a number that was stored before. Returns what is left.

    Refuses when nothing is left, and when the key is gone: deleting it ends the
    countdown for everybody.

    Key: what is counted down. Value: how many are left. TTL: set by whoever stores it.
    """

    def refuses(self) -> bool:
        return _number(self.key) <= 0

    def run(self) -> int:
        with suppress(ValueError):  # deleted since `refuses`, and stays deleted
            return int(cache.decr(self.key))
        return 0

    def refund(self) -> None:
        with suppress(ValueError):
            cache.incr(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Command):
    """Refuses while the key exists. Returns 0.

    Key: what is switched off. Value: 1. TTL: none.
    """

    def refuses(self) -> bool:
        return cache.get(self.key) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Command):
    """Returns the number under the key, or 0, and changes nothing."""

    def run(self) -> int:
        return _number(self.key)


def run(commands: Sequence[Command]) -> list[int]:
    """The result of each command. Raises CommandRefused for the first that refuses."""
    results = _in_redis("run", commands) if settings.REDIS_URL else _in_memory(commands)
    if isinstance(results, int):
        raise CommandRefused(commands[results])
    return results


def refund(commands: Sequence[Command]) -> None:
    """Undo commands that were run. A key that has expired since stays as it is."""
    if settings.REDIS_URL:
        _in_redis("refund", commands)
        return
    with _lock:
        for command in commands:
            command.refund()


def end(key: str) -> bool:
    """Delete the key. Of several callers at once, one is told True."""
    if not settings.REDIS_URL and cache.get(key) is None:
        return False  # local memory would say that it deleted an expired key
    return bool(cache.delete(key))


_lock = threading.Lock()


def _in_memory(commands: Sequence[Command]) -> list[int] | int:
    with _lock:
        for place, command in enumerate(commands):
            if command.refuses():
                return place
        return [command.run() for command in commands]


_SCRIPT = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")


def _in_redis(
    action: Literal["run", "refund"], commands: Sequence[Command]
) -> list[int] | int:
    if not commands:
        return []
    keys: list[str] = []
    for command in commands:
        keys += [_redis_key(command.key), _redis_key(command.item_key or command.key)]
    facts = [{"name": type(c).__name__, **c.arguments} for c in commands]
    redis = cache.client.get_client(write=True)  # type: ignore[attr-defined]  # its own
    results: list[int] | int = redis.register_script(_SCRIPT)(
        keys, [action, json.dumps(facts)]
    )
    return results


def _redis_key(key: str) -> str:
    return str(cache.make_key(key))


def _number(key: str) -> int:
    number: int = cache.get(key, 0)
    return number


def _milliseconds(seconds: float) -> int:
    return max(int(seconds * 1000), 1000)
