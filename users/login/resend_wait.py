"""The wait between two codes for one number: one SMS at a time, then longer waits.

Strangers wait for one another, and known devices for one another.
"""

import math
import time

from django.conf import settings
from django.core.cache import cache

from limits import commands
from users.login.exceptions import ResendTooSoon
from users.phones import PhoneNumber

# For how long a number's earlier sends make the wait for its next one longer.
RECENT_SECONDS = 3600
RECENT_SENDS = "recent_sends"


def seconds_until_resend(phone_number: PhoneNumber, *, is_known_device: bool) -> int:
    lock = send_lock(phone_number.pseudonym, is_known_device=is_known_device)
    return seconds_until_free(lock)


def end_wait(phone_number: PhoneNumber) -> None:
    """Let strangers ask at once: the last code that was sent has been used."""
    commands.end(send_lock(phone_number.pseudonym, is_known_device=False).key)


def clear_waits(phone_number: PhoneNumber) -> None:
    """Let the number ask at once, and begin again with the shortest wait."""
    for is_known_device in (True, False):
        lock = send_lock(phone_number.pseudonym, is_known_device=is_known_device)
        commands.end(lock.key)
        commands.end(recent_sends(lock).key)


def send_lock(number: str, *, is_known_device: bool) -> commands.Lock:
    """One SMS to a number at a time.

    Before the SMS it is held for longer than the SMS takes, so that no other goes out
    at the same time; after it, until the number may ask again.
    """
    asking = "own" if is_known_device else "any"
    shortest = wait_after(1)
    return commands.Lock(
        name=ResendTooSoon.limit_name,
        key=f"login-code-wait:{asking}:{number}",
        free_at=time.time() + shortest,
        seconds=max(shortest, settings.SMS_TIMEOUT_SECONDS + 5),
    )


def recent_sends(lock: commands.Lock) -> commands.Tally:
    """Key: the lock's. Value: SMS sent since its first. TTL: RECENT_SECONDS."""
    key = f"{lock.key}:sends"
    return commands.Tally(name=RECENT_SENDS, key=key, seconds=RECENT_SECONDS)


def seconds_until_free(lock: commands.Lock) -> int:
    free_at: int = cache.get(lock.key, 0)
    return max(math.ceil(free_at / 1000 - time.time()), 0)


def wait_after(sends: int) -> int:
    """Seconds to wait after the number's recent sends, this one included."""
    waits: list[int] = settings.LOGIN_CODE_RESEND_SECONDS
    return waits[min(sends, len(waits)) - 1]
