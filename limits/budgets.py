"""The limits of settings.LIMITS: at most `count` attempts in any period.

An attempt is counted in the same atomic step that checks its limit, so among any number
of simultaneous attempts exactly as many pass as the limit allows. The cache stores
subjects as keyed hashes only.
"""

import hmac
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from django.conf import settings

from config.refusals import LimitReached
from limits import commands
from limits.command_types import (
    AttemptCount,
    AttemptLimit,
    Command,
    CommandRefused,
    DistinctLimit,
    TimeUntilFewer,
)
from limits.slots import beside

# Attempts that somebody has before a limit that others have used up refuses them, too.
FRESH = 2


def attempt(name: str, subject: str, item: str | None = None) -> AttemptLimit | None:
    """A command: one attempt by `subject` under the limit `name`.

    None if the limit is switched off. With an `item`, different items are
    counted: the same one again is free.
    """
    limit = settings.LIMITS[name]
    if limit is None:
        return None
    key = beside(subject, hashed_key(f"{name} {subject}"))
    if item is None:
        return AttemptLimit(
            name=name, key=key, limit=limit.count, seconds=limit.seconds
        )
    return DistinctLimit(
        name=name,
        key=key,
        limit=limit.count,
        seconds=limit.seconds,
        item_key=beside(subject, hashed_key(f"{name} {subject} {item}")),
    )


def unless_fresh(
    limit: AttemptLimit | None, counted_by: AttemptLimit | None
) -> AttemptLimit | None:
    """The limit, but not for whoever has made fewer than FRESH attempts.

    `counted_by` counts those. So a limit that others have used up does not refuse
    somebody who is new there.
    """
    if limit is None or counted_by is None:
        return limit
    return only_if_also_reached(limit, replace(counted_by, limit=FRESH))


def only_if_also_reached(
    limit: AttemptLimit | None, other: AttemptLimit | None
) -> AttemptLimit | None:
    """The limit, but it refuses only if the other one is reached, too."""
    if limit is None or other is None:
        return None
    return replace(limit, unless=replace(other, unless=None))


class Reservation:
    """Commands that were run, to be refunded if nothing came of them.

    `results` has the result of each by its name: for a limit, the attempts so far.
    """

    def __init__(self, run: Sequence[Command], results: Sequence[int]) -> None:
        self.results = {c.name: n for c, n in zip(run, results, strict=True)}
        self._run = list(run)

    def refund(self, *names: str, keep: Collection[str] = ()) -> None:
        """All commands, or those with these names; none of those in `keep`."""
        refunded = [
            c
            for c in self._run
            if c.name not in keep and (not names or c.name in names)
        ]
        self._run = [c for c in self._run if c not in refunded]
        commands.refund(refunded)


def reserve(*wanted: Command | None) -> Reservation:
    """Run all of the commands or none. Raises LimitReached for the first that refuses.

    None stands for a limit that is switched off.
    """
    run = [command for command in wanted if command]
    try:
        return Reservation(run, commands.run(run))
    except CommandRefused as refused:
        raise limit_reached(refused) from None


def check(*wanted: Command | None) -> None:
    """As `reserve`, but runs none."""
    try:
        commands.check([command for command in wanted if command])
    except CommandRefused as refused:
        raise limit_reached(refused) from None


def limit_reached(refused: CommandRefused) -> LimitReached:
    return LimitReached(limit=refused.command.name, wait=math.ceil(refused.wait / 1000))


def used(name: str, subject: str) -> int:
    """The subject's attempts in the period until now."""
    count = read(name, subject)
    return commands.run([count])[0] if count else 0


def read(name: str, subject: str) -> AttemptCount | None:
    """A command that returns what `used` returns, to be run together with others."""
    limit = attempt(name, subject)
    return limit and _read(limit, AttemptCount)


def _read(limit: AttemptLimit, kind: type[AttemptCount]) -> AttemptCount:
    return kind(name=limit.name, key=limit.key, seconds=limit.seconds)


@dataclass(frozen=True, slots=True)
class LimitUse:
    """How much of a limit a subject has used."""

    limit: int
    attempts: int
    seconds_until_fewer: int


def usage_by_limit(subjects: Mapping[str, str]) -> dict[str, LimitUse]:
    """By limit: what its subject has used. Without limits that are switched off.

    Everything is read together: one after the other, each limit would be two round
    trips.
    """
    attempts = [attempt(name, subject) for name, subject in subjects.items()]
    limits = [limit for limit in attempts if limit]
    kinds = (AttemptCount, TimeUntilFewer)
    results = commands.run([_read(limit, kind) for kind in kinds for limit in limits])
    counts, waits = results[: len(limits)], results[len(limits) :]
    return {
        limit.name: LimitUse(limit.limit, count, math.ceil(wait / 1000))
        for limit, count, wait in zip(limits, counts, waits, strict=True)
    }


def seconds_until_fewer(name: str, subject: str, count: int) -> int:
    """Until the subject has made fewer than `count` attempts; 0 if it has now."""
    limit = attempt(name, subject)
    if limit is None:
        return 0
    try:
        commands.run([replace(limit, limit=count, amount=0)])
    except CommandRefused as refused:
        return math.ceil(refused.wait / 1000)
    return 0


def clear(name: str, subject: str) -> None:
    """Forget the subject's attempts."""
    if limit := attempt(name, subject):
        commands.end(limit.key)


def hashed_key(text: str) -> str:
    """A cache key that does not show the text."""
    key = _key(settings.PSEUDONYM_SECRET or settings.SECRET_KEY)
    return f"limit:{hmac.digest(key, text.encode(), 'sha256').hex()}"


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    """A key of its own, made once: a request needs a dozen of these hashes."""
    return hmac.digest(secret.encode(), b"limits", "sha256")
