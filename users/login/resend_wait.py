"""The wait between two codes for one number: one SMS at a time, then longer waits.

Known devices and strangers wait separately. So do strangers who ask for a code that
does not sign in (to change a number): otherwise they could make the owner wait while
the number has no code to sign in with.
"""

from __future__ import annotations

import math
import time
from enum import StrEnum

from django.conf import settings
from django.core.cache import cache

from limits import commands
from limits.command_types import Lock, Tally
from limits.slots import beside
from users.login.exceptions import ResendTooSoon
from users.phones import PhoneNumber

# For how long a number's earlier sends make the wait for its next one longer.
RECENT_SECONDS = 3600
RECENT_SENDS = "recent_sends"


class Asker(StrEnum):
    """The values are parts of cache keys."""

    KNOWN_DEVICE = "own"
    STRANGER = "any"
    STRANGER_NOT_SIGNING_IN = "other"

    @classmethod
    def of(cls, known_device: str | None, *, is_sign_in: bool) -> Asker:
        if known_device:
            return cls.KNOWN_DEVICE
        return cls.STRANGER if is_sign_in else cls.STRANGER_NOT_SIGNING_IN


def seconds_until_resend(phone_number: PhoneNumber, asker: Asker) -> int:
    return seconds_until_free(send_lock(phone_number.pseudonym, asker))


def end_wait(phone_number: PhoneNumber) -> None:
    """Let strangers ask at once: the code that was sent is of no more use."""
    commands.end(send_lock(phone_number.pseudonym, Asker.STRANGER).key)


def clear_waits(phone_number: PhoneNumber) -> None:
    """Let the number ask at once, and begin again with the shortest wait."""
    for asker in Asker:
        lock = send_lock(phone_number.pseudonym, asker)
        commands.end(lock.key)
        commands.end(recent_sends(lock).key)


def send_lock(pseudonym: str, asker: Asker) -> Lock:
    """One SMS to a number at a time.

    Before the SMS it is held for longer than the SMS takes, so that no other goes out
    at the same time; after it, until the number may ask again.
    """
    shortest = wait_after(1)
    return Lock(
        name=ResendTooSoon.limit_name,
        key=beside(pseudonym, f"login-code-wait:{asker}:{pseudonym}"),
        free_at=time.time() + shortest,
        seconds=max(shortest, settings.SMS_TIMEOUT_SECONDS + 5),
    )


def recent_sends(lock: Lock) -> Tally:
    """Key: the lock's. Value: SMS sent since its first. TTL: RECENT_SECONDS."""
    key = f"{lock.key}:sends"
    return Tally(name=RECENT_SENDS, key=key, seconds=RECENT_SECONDS)


def free_at(lock: Lock) -> int:
    """In milliseconds since the epoch; 0 if it is free now."""
    moment: int = cache.get(lock.key, 0)
    return moment


def seconds_until_free(lock: Lock) -> int:
    return max(math.ceil(free_at(lock) / 1000 - time.time()), 0)


def wait_after(sends: int) -> int:
    """Seconds to wait after the number's recent sends, this one included."""
    waits: list[int] = settings.LOGIN_CODE_RESEND_SECONDS
    return waits[min(sends, len(waits)) - 1]
