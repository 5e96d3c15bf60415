"""Short lists in the cache, newest first: what happened lately."""

import json
from typing import Any

from django.conf import settings
from django.core.cache import cache

from limits.commands import Append

Entry = list[Any]


def append(key: str, entry: Entry, *, at_most: int, seconds: int) -> Append:
    """A command that adds the entry. The list ends `seconds` after its last one."""
    text = json.dumps(entry)
    return Append(name=key, key=key, entry=text, at_most=at_most, seconds=seconds)


def entries(key: str) -> list[Entry]:
    if settings.REDIS_URL:
        redis = cache.client.get_client(write=False)  # type: ignore[attr-defined]  # its own
        texts = redis.lrange(cache.make_key(key), 0, -1)
    else:
        texts = cache.get(key) or []
    return [json.loads(text) for text in texts]
