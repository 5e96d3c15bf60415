"""Counters with an end, taken several at a time: all or none, in one atomic step.

In Redis a script does it, in one round trip for all the limits of a request. The local
memory of the one process has a lock.
"""

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import cache

NO_LIMIT = 10**12  # for what is only counted


class Counter(NamedTuple):
    """At most `most` until its end; with an `item`, at most so many different items."""

    name: str
    key: str
    most: int
    seconds_left: float
    item: str = ""  # the cache key that stands for it

    @property
    def milliseconds_left(self) -> int:
        return max(int(self.seconds_left * 1000), 1000)


class UsedUp(Exception):
    def __init__(self, counter: Counter) -> None:
        super().__init__(counter.name)
        self.counter = counter


def take(counters: Sequence[Counter]) -> list[int]:
    """Each count with this use in it; 0 for an item that was counted before.

    Raises UsedUp for the first that has no use left, and then none is counted.
    """
    counts = _take_in_redis(counters) if settings.REDIS_URL else _take(counters)
    if counts and counts[0] < 0:
        raise UsedUp(counters[-counts[0] - 1])
    return counts


def give_back(counters: Sequence[Counter]) -> None:
    """Those that were counted; what has ended meanwhile stays ended."""
    if settings.REDIS_URL:
        _run(_GIVE_BACK, counters)
        return
    with _lock:
        for counter in counters:
            if cache.get(counter.key) is not None:
                cache.decr(counter.key)
            if counter.item:
                cache.delete(counter.item)


# KEYS: a counter and its item, by turns, the counter again where it has no item.
# ARGV: the most and the milliseconds left, by turns.
_TAKE = """
local known = {}
for i = 1, #KEYS, 2 do
  known[i] = KEYS[i] ~= KEYS[i + 1] and redis.call('EXISTS', KEYS[i + 1]) == 1
  local used = tonumber(redis.call('GET', KEYS[i]) or 0)
  if not known[i] and used >= tonumber(ARGV[i]) then return {-(i + 1) / 2} end
end
local counts = {}
for i = 1, #KEYS, 2 do
  local count = 0
  if not known[i] then
    count = redis.call('INCR', KEYS[i])
    if count == 1 then redis.call('PEXPIRE', KEYS[i], ARGV[i + 1]) end
    if KEYS[i] ~= KEYS[i + 1] then
      redis.call('SET', KEYS[i + 1], 1, 'PX', ARGV[i + 1])
    end
  end
  counts[#counts + 1] = count
end
return counts
"""
_GIVE_BACK = """
for i = 1, #KEYS, 2 do
  if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('DECR', KEYS[i]) end
  if KEYS[i] ~= KEYS[i + 1] then redis.call('DEL', KEYS[i + 1]) end
end
"""


def _take_in_redis(counters: Sequence[Counter]) -> list[int]:
    counts: list[int] = _run(_TAKE, counters)
    return counts


def _run(script: str, counters: Sequence[Counter]) -> Any:
    if not counters:
        return []
    keys: list[str] = []
    arguments: list[int] = []
    for counter in counters:
        keys += [_redis_key(counter.key), _redis_key(counter.item or counter.key)]
        arguments += [counter.most, counter.milliseconds_left]
    redis = cache.client.get_client(write=True)  # type: ignore[attr-defined]  # its own
    return redis.register_script(script)(keys, arguments)


def _redis_key(key: str) -> str:
    return str(cache.make_key(key))


_lock = threading.Lock()


def _take(counters: Sequence[Counter]) -> list[int]:
    with _lock:
        known = [bool(c.item and cache.get(c.item)) for c in counters]
        for position, counter in enumerate(counters):
            if not known[position] and cache.get(counter.key, 0) >= counter.most:
                return [-position - 1]
        pairs = zip(counters, known, strict=True)
        return [0 if is_known else _count(counter) for counter, is_known in pairs]


def _count(counter: Counter) -> int:
    seconds = counter.milliseconds_left / 1000
    if counter.item:
        cache.set(counter.item, 1, seconds)
    cache.add(counter.key, 0, seconds)
    return cache.incr(counter.key)
