"""Skipping a provider that fails again and again, while others can send.

MOST_FAILURES in a row, within PERIOD_SECONDS, and it is skipped for as long. A refusal
of one message (MessageRefused) is no failure: otherwise whoever asks for codes to odd
numbers could switch a provider off for everybody.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress

from django.core.cache import cache

from config.monitoring.metrics import count_skipped_provider
from config.server.redis_pool import REDIS_FAILS
from limits import commands
from limits.command_types import Tally

logger = logging.getLogger(__name__)

MOST_FAILURES = 5
PERIOD_SECONDS = 60


def skipped(paths: Iterable[str]) -> set[str]:
    """Those of the given dotted paths whose backends are skipped now."""
    keys = {_skip_key(path): path for path in paths}
    with suppress(*REDIS_FAILS):
        return {keys[key] for key in cache.get_many(keys)}
    return set()


def failed(path: str) -> None:
    with suppress(*REDIS_FAILS):
        (failures,) = commands.run([_failures(path)])
        # `add` succeeds once, so one of simultaneous failures is logged.
        if failures >= MOST_FAILURES and cache.add(_skip_key(path), 1, PERIOD_SECONDS):
            name = path.rpartition(".")[2]
            count_skipped_provider(name)
            logger.error(
                "%s failed %d times in a row: it is skipped for %d seconds",
                name,
                failures,
                PERIOD_SECONDS,
            )


def succeeded(path: str) -> None:
    with suppress(*REDIS_FAILS):  # the message is on its way: do not fail now
        commands.end(_failures(path).key)


def _failures(path: str) -> Tally:
    """Key: the backend. Value: its failures in a row. TTL: from the first of them."""
    key = f"provider-failures:{path}"
    return Tally(name="failures", key=key, seconds=PERIOD_SECONDS)


def _skip_key(path: str) -> str:
    return f"provider-skipped:{path}"
