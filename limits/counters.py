"""Counters with an end, taken several at a time: all or none, in one atomic step.

In Redis a script does it, in one round trip for all the limits of a request. The local
memory of the one process has a lock.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import cache

NO_LIMIT = 10**12  # for what is only counted


class Counter(NamedTuple):
    """At most `most` until its end; with an `item`, at most so many different items.

    One with a `step` of 0 is only looked at, and must be below `most` as others.
    """

    name: str
    key: str
    most: int
    seconds_left: float
    item: str = ""  # the cache key that stands for it
    step: int = 1  # what a use adds

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
    taken = _take_in_redis(counters) if settings.REDIS_URL else _take(counters)
    if isinstance(taken, int):
        raise UsedUp(counters[taken])
    return taken


def give_back(counters: Sequence[Counter]) -> None:
    """Those that were counted; what has ended meanwhile stays ended."""
    if settings.REDIS_URL:
        _run(_GIVE_BACK, counters)
        return
    with _lock:
        for counter in counters:
            with suppress(ValueError):  # it has ended
                cache.decr(counter.key, counter.step)
            if counter.item:
                cache.delete(counter.item)


def end(counter: Counter) -> bool:
    """Delete it; of several callers at once, one is told that it has."""
    if not settings.REDIS_URL and cache.get(counter.key) is None:
        return False  # local memory says that it deleted what had expired
    return bool(cache.delete(counter.key))


# KEYS: a counter and its item, by turns, the counter again where it has no item.
# ARGV: the most, the milliseconds left and the step, by turns.
_TAKE = """
local known, used = {}, {}
for n = 1, #KEYS / 2 do
  local key, item = KEYS[2 * n - 1], KEYS[2 * n]
  known[n] = key ~= item and redis.call('EXISTS', item) == 1
  used[n] = tonumber(redis.call('GET', key) or 0)
  if not known[n] and used[n] >= tonumber(ARGV[3 * n - 2]) then return n - 1 end
end
local counts = {}
for n = 1, #KEYS / 2 do
  local key, item = KEYS[2 * n - 1], KEYS[2 * n]
  local left, step = ARGV[3 * n - 1], ARGV[3 * n]
  if step == '0' then
    counts[n] = used[n]
  elseif known[n] then
    counts[n] = 0
  else
    counts[n] = redis.call('INCRBY', key, step)
    if used[n] == 0 then redis.call('PEXPIRE', key, left) end
    if key ~= item then redis.call('SET', item, 1, 'PX', left) end
  end
end
return counts
"""
_GIVE_BACK = """
for n = 1, #KEYS / 2 do
  local key, item, step = KEYS[2 * n - 1], KEYS[2 * n], ARGV[3 * n]
  if redis.call('EXISTS', key) == 1 then redis.call('DECRBY', key, step) end
  if key ~= item then redis.call('DEL', item) end
end
"""


def _take_in_redis(counters: Sequence[Counter]) -> list[int] | int:
    taken: list[int] | int = _run(_TAKE, counters)
    return taken


def _run(script: str, counters: Sequence[Counter]) -> Any:
    if not counters:
        return []
    keys: list[str] = []
    arguments: list[int] = []
    for counter in counters:
        keys += [_redis_key(counter.key), _redis_key(counter.item or counter.key)]
        arguments += [counter.most, counter.milliseconds_left, counter.step]
    redis = cache.client.get_client(write=True)  # type: ignore[attr-defined]  # its own
    return redis.register_script(script)(keys, arguments)


def _redis_key(key: str) -> str:
    return str(cache.make_key(key))


_lock = threading.Lock()


def _take(counters: Sequence[Counter]) -> list[int] | int:
    """The counts, or else the place of the first that has no use left."""
    with _lock:
        known = [bool(c.item and cache.get(c.item)) for c in counters]
        used: list[int] = [cache.get(counter.key, 0) for counter in counters]
        rows = list(zip(counters, known, used, strict=True))
        for position, (counter, is_known, count) in enumerate(rows):
            if not is_known and count >= counter.most:
                return position
        return [0 if is_known else _count(c, count) for c, is_known, count in rows]


def _count(counter: Counter, used: int) -> int:
    if not counter.step:
        return used
    seconds = counter.milliseconds_left / 1000
    if counter.item:
        cache.set(counter.item, 1, seconds)
    if used:
        with suppress(ValueError):  # it was ended meanwhile, and stays so
            cache.incr(counter.key, counter.step)
    else:
        cache.set(counter.key, counter.step, seconds)
    return used + counter.step
