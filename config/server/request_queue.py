"""Few threads of a process run at a time; the others wait for their turn, or an SMS.

Hundreds of threads that all want Python's one lock spend more on handing it around than
on their work, so the more clients wait the fewer are served.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# Those who have a turn may be stuck, waiting for a database say: whoever has waited
# for so long goes ahead without one. Then come 1.5 s for a connection and 2.5 s for a
# query, and an outage is told within five.
LONGEST_WAIT_SECONDS = 0.8


class Turns:
    """Each line in the order of arrival, and the two lines by turns.

    So reads wait for no queue of writes, such as a thousand people who want a code, and
    neither can be kept out by the other. threading.Semaphore would also let newcomers
    pass those who wait.
    """

    def __init__(self, at_a_time: int) -> None:
        self.free = at_a_time
        self._lines: dict[bool, deque[threading.Lock]] = {True: deque(), False: deque()}
        self._next_is_read = True
        self._guard = threading.Lock()

    @property
    def waiting(self) -> int:
        return sum(map(len, self._lines.values()))

    def take(self, *, is_read: bool) -> bool:
        """Wait for a turn; False without one, after LONGEST_WAIT_SECONDS."""
        line = self._lines[is_read]
        with self._guard:
            if self.free:
                self.free -= 1
                return True
            called = threading.Lock()
            called.acquire()
            line.append(called)
        in_time = called.acquire(timeout=LONGEST_WAIT_SECONDS)
        return in_time or not self._leave(line, called)

    def end(self) -> None:
        with self._guard:
            line = (
                self._lines[self._next_is_read] or self._lines[not self._next_is_read]
            )
            self._next_is_read = not self._next_is_read
            if line:
                line.popleft().release()
            else:
                self.free += 1

    def _leave(self, line: deque[threading.Lock], called: threading.Lock) -> bool:
        """False if it has just been called."""
        with self._guard:
            if called not in line:
                return False
            line.remove(called)
            return True


# Those that have a turn may each want a connection, and then none has to wait for one.
_turns = Turns(settings.DATABASE_POOL_SIZE)
_mine = threading.local()


class TurnMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _take(is_read=request.method in {"GET", "HEAD"})
        try:
            return self.get_response(request)
        finally:
            _end()


@contextmanager
def stepping_aside() -> Iterator[None]:
    """For a wait that needs no Python: others may have the turn meanwhile."""
    had_one = _end()
    try:
        yield
    finally:
        if had_one:
            _take(is_read=False)


def _take(*, is_read: bool) -> None:
    _mine.turn = _turns.take(is_read=is_read)


def _end() -> bool:
    had_one = getattr(_mine, "turn", False)
    _mine.turn = False
    if had_one:
        _turns.end()
    return had_one
