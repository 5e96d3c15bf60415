"""Short lists in the cache, newest first: what happened lately."""

import json
from typing import Any

from django.conf import settings
from django.core.cache import cache

from limits.command_types import AddToHistory

Entry = list[Any]


def add_command(key: str, entry: Entry, *, at_most: int, seconds: int) -> AddToHistory:
    """A command that adds the entry and keeps the newest `at_most`.

    The list expires `seconds` after its newest entry.
    """
    text = json.dumps(entry)
    return AddToHistory(name=key, key=key, entry=text, at_most=at_most, seconds=seconds)


def entries(key: str) -> list[Entry]:
    if settings.REDIS_URL:
        redis = cache.client.get_client(write=False)  # type: ignore[attr-defined]  # django-redis's
        texts = redis.lrange(cache.make_key(key), 0, -1)
    else:
        texts = cache.get(key) or []
    return [json.loads(text) for text in texts]
