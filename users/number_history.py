"""What happened to a phone number in the last 30 days, for support staff.

The cache keeps two lists of each number, under an HMAC of it. They contain a time, an
event and a word about it: no number, no address and no code. An entry is shown for
KEPT_DAYS, and a list ends KEPT_DAYS after its last entry.

Strangers can cause refusals without end. So refusals have a list of their own, where
they cannot push out what was sent, and the same one is kept once in REPEAT_SECONDS. For
all numbers that nothing was sent to in KEPT_DAYS, at most UNKNOWN_PER_HOUR refusals of
each kind are kept in an hour, together: otherwise strangers could fill the cache with
those of numbers that they make up.

Nothing here looks whether the number has an account. If Redis fails, an entry is lost
and the request goes on.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.cache import cache

from config.server.redis_pool import REDIS_FAILS
from limits import commands, histories
from limits.command_types import AddToHistory, AttemptLimit, CommandRefused
from limits.slots import SERVICE, beside

# Events. The values are stored.
SENT = "sent"
DELIVERED = "delivered"
NOT_DELIVERED = "not_delivered"
NOT_SENT = "not_sent"
UNSURE = "unsure"
SIGNED_IN = "signed_in"
SEND_REFUSED = "send_refused"
WRONG_CODE = "wrong_code"
GUESS_REFUSED = "guess_refused"

REFUSALS = {NOT_SENT, UNSURE, SEND_REFUSED, WRONG_CODE, GUESS_REFUSED}

KEPT_DAYS = 30
MOST = 100  # entries in each list
REPEAT_SECONDS = 600
UNKNOWN_PER_HOUR = 100


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    event: str
    about: str  # a channel or the name of a limit; may be empty


def record(pseudonym: str, event: str, about: str = "") -> None:
    """Add an entry. Never fails: if Redis does, the entry is lost.

    One round trip to Redis; up to five for a refusal.

    `pseudonym` is that of the phone number.
    """
    with suppress(*REDIS_FAILS):
        if event not in REFUSALS or _keeps_refusal(pseudonym, event, about):
            commands.run([record_command(pseudonym, event, about)])


def _keeps_refusal(pseudonym: str, event: str, about: str) -> bool:
    once = f"number-refused:{pseudonym}:{event}:{about}"
    if cache.has_key(once):
        return False
    if not cache.has_key(_key(pseudonym, SENT)):
        key = beside(SERVICE, f"number-refusals-of-unknown:{event}")
        most = AttemptLimit(name=event, key=key, limit=UNKNOWN_PER_HOUR, seconds=3600)
        try:
            commands.run([most])
        except CommandRefused:
            return False
    return bool(cache.add(once, 1, REPEAT_SECONDS))


def record_command(pseudonym: str, event: str, about: str = "") -> AddToHistory:
    """A command that adds an entry, to be run together with others."""
    return histories.add_command(
        _key(pseudonym, event),
        [round(time.time(), 3), event, about],
        at_most=MOST,
        seconds=KEPT_DAYS * 24 * 3600,
    )


def history(pseudonym: str) -> list[Entry]:
    """Newest first. Raises the exceptions in REDIS_FAILS."""
    earliest = time.time() - KEPT_DAYS * 24 * 3600
    found = [
        Entry(datetime.fromtimestamp(at, UTC), event, about)
        for one in (SENT, SEND_REFUSED)
        for at, event, about in histories.entries(_key(pseudonym, one))
        if at > earliest
    ]
    return sorted(found, key=lambda entry: entry.at, reverse=True)


def _key(pseudonym: str, event: str) -> str:
    kind = "refusals" if event in REFUSALS else "events"
    return f"number-{kind}:{pseudonym}"
