"""A queue in front of the views: few requests of a process run at a time.

Hundreds of threads that all want Python's global lock spend more time on passing it
around than on their work. What the queue buys is in tests/benchmarks/PIECES.md.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# Requests that hold a slot may hang, for example while they wait for the database.
# After this time a request goes ahead without a slot. With 1.5 s for a connection and
# 2.5 s for a query, an outage is still answered within five seconds.
LONGEST_WAIT_SECONDS = 0.8


class RequestQueue:
    """Two first-in-first-out queues, one for reads and one for writes, served by turns.

    So reads do not wait behind a thousand people who want a code, and neither queue can
    starve the other. threading.Semaphore would let newcomers overtake.
    """

    def __init__(self, slots: int) -> None:
        self.free = slots
        self._queues: dict[bool, deque[threading.Lock]] = {
            True: deque(),
            False: deque(),
        }
        self._next_is_read = True
        self._guard = threading.Lock()

    @property
    def waiting(self) -> int:
        return sum(map(len, self._queues.values()))

    def acquire(self, *, is_read: bool) -> bool:
        """Wait for a slot. False: none was free within LONGEST_WAIT_SECONDS."""
        queue = self._queues[is_read]
        with self._guard:
            if self.free:
                self.free -= 1
                return True
            called = threading.Lock()
            called.acquire()
            queue.append(called)
        in_time = called.acquire(timeout=LONGEST_WAIT_SECONDS)
        return in_time or not self._leave(queue, called)

    def release(self) -> None:
        with self._guard:
            queue = (
                self._queues[self._next_is_read] or self._queues[not self._next_is_read]
            )
            self._next_is_read = not self._next_is_read
            if queue:
                queue.popleft().release()
            else:
                self.free += 1

    def _leave(self, queue: deque[threading.Lock], called: threading.Lock) -> bool:
        """False if it has got a slot since its time ran out."""
        with self._guard:
            if called not in queue:
                return False
            queue.remove(called)
            return True


# One slot for each database connection: no request that runs waits for a connection.
_queue = RequestQueue(settings.DATABASE_POOL_SIZE)
_thread = threading.local()


class RequestQueueMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _acquire(is_read=request.method in {"GET", "HEAD"})
        try:
            return self.get_response(request)
        finally:
            _release()


@contextmanager
def slot_released() -> Iterator[None]:
    """Let another request run while this one waits for something outside."""
    had_slot = _release()
    try:
        yield
    finally:
        if had_slot:
            _acquire(is_read=False)


def _acquire(*, is_read: bool) -> None:
    _thread.has_slot = _queue.acquire(is_read=is_read)


def _release() -> bool:
    """Whether this thread had a slot."""
    had_slot = getattr(_thread, "has_slot", False)
    _thread.has_slot = False
    if had_slot:
        _queue.release()
    return had_slot
