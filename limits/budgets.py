"""Budgets on the cache: at most so many in a window, however many ask at once.

A claim is counted before anything is done with it, so of any number that arrive
together exactly as many are let through as the limit says. Windows are fixed, each
subject's starting at a moment of its own. The cache sees subjects as keyed hashes only.
"""

import math
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac

from config.refusals import LimitReached
from limits.counters import NO_LIMIT, Counter, UsedUp, end, give_back, take
from limits.limit import Limit


@dataclass(frozen=True, slots=True)
class Claim:
    """One use of the limit that settings.LIMITS has under `name`, by `subject`.

    With an `item` the limit counts different items: the same again costs nothing.
    """

    name: str
    subject: str
    item: str | None = None

    @property
    def limit(self) -> Limit | None:
        limit: Limit | None = settings.LIMITS[self.name]
        return limit

    def counter(self) -> Counter | None:
        """The one of the window that is open now; None: the limit is switched off."""
        limit = self.limit
        if limit is None:
            return None
        subject = f"{self.name} {self.subject}"
        # Windows that all ended together would be a moment to wait for.
        moment = time.time() + zlib.crc32(subject.encode()) % limit.seconds
        number, elapsed = divmod(moment, limit.seconds)
        key = _key(f"{subject} {int(number)}")
        item = _key(f"{key} {self.item}") if self.item is not None else ""
        return Counter(self.name, key, limit.count, limit.seconds - elapsed, item)


class Reservation:
    """Uses that were granted, to be given back if nothing came of them.

    `counts` tells of each limit how many were granted in its window, this one included.
    """

    def __init__(self, counters: Sequence[Counter], counts: Sequence[int]) -> None:
        pairs = list(zip(counters, counts, strict=True))
        self._counted = [c for c, count in pairs if c.step and (count or not c.item)]
        self.counts = {counter.name: count for counter, count in pairs}

    def give_back(self, *names: str) -> None:
        """All of them, or the named limits."""
        given = [c for c in self._counted if not names or c.name in names]
        self._counted = [c for c in self._counted if c not in given]
        give_back(given)


def reserve(*claims: Claim | Counter | None) -> Reservation:
    """All of the claims or none; raises LimitReached for the first that is refused."""
    found = [c.counter() if isinstance(c, Claim) else c for c in claims]
    counters = [counter for counter in found if counter]
    try:
        counts = take(counters)
    except UsedUp as used_up:
        counter = used_up.counter
        wait = math.ceil(counter.seconds_left)
        raise LimitReached(limit=counter.name, wait=wait) from None
    return Reservation(counters, counts)


def used(claim: Claim) -> int:
    """How much of the limit the subject has used in the window that is open now."""
    counter = claim.counter()
    count: int = cache.get(counter.key, 0) if counter else 0
    return count


def look(claim: Claim) -> Counter | None:
    """For `reserve`, to tell how much is used beside what it reserves."""
    counter = claim.counter()
    return counter and counter._replace(most=NO_LIMIT, step=0)


def clear(claim: Claim) -> None:
    """Let the subject begin the window that is open now anew."""
    if counter := claim.counter():
        end(counter)


def _key(text: str) -> str:
    return f"limit:{salted_hmac('limits', text, algorithm='sha256').hexdigest()}"
