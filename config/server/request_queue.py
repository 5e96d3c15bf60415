"""A queue in front of the views: few requests of a process run at a time.

Hundreds of threads that all want Python's global lock spend more time on passing it
around than on their work. What the queue buys is in tests/benchmarks/PIECES.md.

When more requests come than the machine can serve, they wait here, each kind in its
order of arrival. A waiting thread does not wake up before its turn: hundreds of timers
that go off together would stop everything else.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

from django.conf import settings
from django.db import close_old_connections

# A request whose turn comes later than this is refused. With the longest wait for an
# SMS, its answer comes within gunicorn's graceful_timeout.
LONGEST_WAIT_SECONDS = 15
# If no request of a kind succeeds for this long, those that wait are refused. With
# 2.5 s for a query, an outage is answered within five seconds.
STALLED_SECONDS = 2


class Kind(IntEnum):
    """Each kind of request has a queue of its own."""

    STAFF = 0  # and checks of the service's health
    READ = 1
    WRITE = 2
    RESUMED = 3  # after a wait for something outside, such as the SMS provider


class RequestQueue:
    """First-in-first-out queues, one for each kind of request, served by turns.

    So reads do not wait behind a thousand people who want a code, and no kind can
    starve another. threading.Semaphore would let newcomers overtake.
    """

    def __init__(self, slots: int) -> None:
        self.free = slots
        self._queues: tuple[deque[threading.Lock], ...] = tuple(deque() for _ in Kind)
        self._served_at = [0.0 for _ in Kind]
        self._next = 0
        self._guard = threading.Lock()

    @property
    def waiting(self) -> int:
        return sum(map(len, self._queues))

    def acquire(self, kind: Kind) -> bool:
        """Wait for a slot. False: it has come too late, refuse the request."""
        with self._guard:
            if self.free:
                self.free -= 1
                return True
            called = threading.Lock()
            called.acquire()
            self._queues[kind].append(called)
        started = time.monotonic()
        called.acquire()
        now = time.monotonic()
        is_stalled = now - max(started, self._served_at[kind]) > STALLED_SECONDS
        return not is_stalled and now - started <= LONGEST_WAIT_SECONDS

    def release(self, served: Kind | None) -> None:
        """`served`: the kind of the request; None if it failed or was refused."""
        with self._guard:
            if served is not None:
                self._served_at[served] = time.monotonic()
            for turn in range(self._next, self._next + len(Kind)):
                if queue := self._queues[turn % len(Kind)]:
                    self._next = turn + 1
                    queue.popleft().release()
                    return
            self.free += 1


# One slot for each database connection: no request that runs waits for a connection.
_queue = RequestQueue(settings.DATABASE_POOL_SIZE)


@dataclass(slots=True)
class _Slot:
    kind: Kind
    has_succeeded: bool = False


class _Thread(threading.local):
    slot: _Slot | None = None


_thread = _Thread()


@contextmanager
def slot(kind: Kind) -> Iterator[bool]:
    """Run the block when it is its turn. False: too late, it must refuse the request.

    A refusal has a slot, too: hundreds of them at once would delay all others.
    """
    is_in_time = _acquire(kind)
    try:
        yield is_in_time
    finally:
        # Else Django would do so only after the answer was sent.
        close_old_connections()
        _release()


def note_success() -> None:
    """PostgreSQL and Redis have done what the request needed of them.

    How long that took says nothing: on a busy machine all requests are slow.
    """
    if _thread.slot:
        _thread.slot.has_succeeded = True


@contextmanager
def slot_released() -> Iterator[None]:
    """Let another request run while this one waits for something outside."""
    had_slot = _release()
    try:
        yield
    finally:
        if had_slot:
            _acquire(Kind.RESUMED)  # it has had its effect: it is never refused


def _acquire(kind: Kind) -> bool:
    is_in_time = _queue.acquire(kind)
    _thread.slot = _Slot(kind)
    return is_in_time


def _release() -> bool:
    """Whether this thread had a slot."""
    held, _thread.slot = _thread.slot, None
    if held is None:
        return False
    _queue.release(held.kind if held.has_succeeded else None)
    return True
