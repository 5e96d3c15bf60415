"""The limits of settings.LIMITS: at most so many attempts in a window.

An attempt is counted before anything is done with it, so among any number of
simultaneous attempts exactly as many pass as the limit allows. Windows are fixed; each
subject's window starts at its own moment. The cache stores subjects as keyed hashes
only.
"""

import math
import time
import zlib
from collections.abc import Sequence

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac

from config.refusals import LimitReached
from limits import commands
from limits.commands import (
    AttemptLimit,
    Command,
    CommandRefused,
    DistinctLimit,
    Read,
    Tally,
)


def attempt(name: str, subject: str, item: str | None = None) -> AttemptLimit | None:
    """One attempt by `subject` under the limit `name`.

    None if the limit is switched off. With an `item`, different items are
    counted: the same one again is free.
    """
    limit = settings.LIMITS[name]
    if limit is None:
        return None
    # Different subjects' windows end at different moments: none to wait for.
    subject = f"{name} {subject}"
    moment = time.time() + zlib.crc32(subject.encode()) % limit.seconds
    window, elapsed = divmod(moment, limit.seconds)
    key, left = hashed_key(f"{subject} {int(window)}"), limit.seconds - elapsed
    if item is None:
        return AttemptLimit(name=name, key=key, limit=limit.count, seconds=left)
    item_key = hashed_key(f"{key} {item}")
    return DistinctLimit(
        name=name, key=key, limit=limit.count, seconds=left, item_key=item_key
    )


class Reservation:
    """Commands that were run, to be refunded if nothing came of them.

    `results` has the result of each by its name: for a limit, the attempts so far.
    """

    def __init__(self, run: Sequence[Command], results: Sequence[int]) -> None:
        self.results = {c.name: n for c, n in zip(run, results, strict=True)}
        self._run = [c for c in run if not self._was_free(c)]

    def refund(self, *names: str) -> None:
        """All commands, or those with these names."""
        refunded = [c for c in self._run if not names or c.name in names]
        self._run = [c for c in self._run if c not in refunded]
        commands.refund(refunded)

    def _was_free(self, command: Command) -> bool:
        return isinstance(command, DistinctLimit) and not self.results[command.name]


def reserve(*wanted: Command | None) -> Reservation:
    """Run all of the commands or none. Raises LimitReached for the first that refuses.

    None stands for a limit that is switched off.
    """
    run = [command for command in wanted if command]
    try:
        return Reservation(run, commands.run(run))
    except CommandRefused as refused:
        command = refused.command
        seconds = command.seconds if isinstance(command, Tally) else 0
        raise LimitReached(limit=command.name, wait=math.ceil(seconds)) from None


def used(name: str, subject: str) -> int:
    """The subject's attempts in the current window."""
    current = attempt(name, subject)
    count: int = cache.get(current.key, 0) if current else 0
    return count


def read(name: str, subject: str) -> Read | None:
    """A command that reads what `used` returns, to be run together with others."""
    current = attempt(name, subject)
    return Read(name=name, key=current.key) if current else None


def clear(name: str, subject: str) -> None:
    """Forget the subject's attempts in the current window."""
    if current := attempt(name, subject):
        commands.end(current.key)


def hashed_key(text: str) -> str:
    """A cache key that does not show the text."""
    secret = settings.PSEUDONYM_SECRET or None  # None: SECRET_KEY
    return (
        f"limit:{salted_hmac('limits', text, secret, algorithm='sha256').hexdigest()}"
    )
