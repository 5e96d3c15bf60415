"""Short lists in the cache, newest first: what happened lately.

In Redis one pipeline appends, cuts the list and sets its lifetime. Without Redis the
list is in the memory of the one process.
"""

import json
import threading
from typing import Any

from django.conf import settings
from django.core.cache import cache

Entry = list[Any]


def append(key: str, entry: Entry, *, at_most: int, seconds: int) -> None:
    """Key: as given. Value: a list of JSON texts. TTL: `seconds` from the last one."""
    text = json.dumps(entry)
    if not settings.REDIS_URL:
        with _lock:
            kept: list[str] = cache.get(key) or []
            cache.set(key, [text, *kept][:at_most], seconds)
        return
    name = cache.make_key(key)
    with _redis(write=True).pipeline(transaction=False) as pipeline:
        pipeline.lpush(name, text)
        pipeline.ltrim(name, 0, at_most - 1)
        pipeline.expire(name, seconds)
        pipeline.execute()


def entries(key: str) -> list[Entry]:
    if settings.REDIS_URL:
        texts = _redis(write=False).lrange(cache.make_key(key), 0, -1)
    else:
        texts = cache.get(key) or []
    return [json.loads(text) for text in texts]


def _redis(*, write: bool) -> Any:
    return cache.client.get_client(write=write)  # type: ignore[attr-defined]  # its own


_lock = threading.Lock()
