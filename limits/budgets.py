"""Budgets on the cache: at most so many in a window, however many ask at once.

A claim is counted before anything is done with it, so of any number that arrive
together exactly as many are let through as the limit says. Windows are fixed, each
subject's starting at a moment of its own. The cache sees subjects as keyed hashes only.
"""

import math
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac

from config.exceptions import LimitReached
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
        """None: the limit is switched off."""
        limit: Limit | None = settings.LIMITS[self.name]
        return limit

    def window(self, limit: Limit) -> tuple[str, float]:
        """The cache key of the window that is open now, and the seconds left of it."""
        subject = f"{self.name} {self.subject}"
        # Windows that all ended together would be a moment to wait for.
        moment = time.time() + zlib.crc32(subject.encode()) % limit.seconds
        number, elapsed = divmod(moment, limit.seconds)
        return _key(f"{subject} {int(number)}"), limit.seconds - elapsed


class Reservation:
    """Claims that were granted, to be given back if nothing came of them."""

    def __init__(self) -> None:
        self._counters: list[str] = []
        self._items: list[str] = []

    def take(self, claim: Claim) -> int:
        """How many have been granted in this window, this one included.

        Raises LimitReached.
        """
        limit = claim.limit
        if limit is None:
            return 0
        counter, seconds_left = claim.window(limit)
        if claim.item is not None:
            item = _key(f"{counter} {claim.item}")
            if not cache.add(item, 1, max(seconds_left, 1)):
                return used(claim)
            self._items.append(item)
        count = _increment(counter, seconds_left)
        if count > limit.count:
            _decrement(counter)
            raise LimitReached(limit=claim.name, wait=math.ceil(seconds_left))
        self._counters.append(counter)
        return count

    def give_back(self) -> None:
        while self._counters:
            _decrement(self._counters.pop())
        while self._items:
            cache.delete(self._items.pop())


def reserve(*claims: Claim) -> Reservation:
    """All of the claims or none; raises LimitReached for the first that is refused."""
    reservation = Reservation()
    try:
        for claim in claims:
            reservation.take(claim)
    except Exception:
        reservation.give_back()
        raise
    return reservation


def used(claim: Claim) -> int:
    """How much of the limit the subject has used in the window that is open now."""
    limit = claim.limit
    if limit is None:
        return 0
    counter, _ = claim.window(limit)
    count: int = cache.get(counter, 0)
    return count


def _key(text: str) -> str:
    return f"limit:{salted_hmac('limits', text, algorithm='sha256').hexdigest()}"


def _increment(key: str, seconds_left: float) -> int:
    while True:
        try:
            return cache.incr(key)
        except ValueError:  # the first of its window
            cache.add(key, 0, max(seconds_left, 1))


def _decrement(key: str) -> None:
    with suppress(ValueError):  # the window is over
        cache.decr(key)
