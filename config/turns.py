"""Few threads of a process run at a time; the others wait for their turn, or an SMS.

Hundreds of threads that all want Python's one lock spend more on handing it around than
on their work, so the more clients wait the fewer are served.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.http import HttpRequest, HttpResponse

AT_A_TIME = 8
# After it a thread goes ahead without one: some may be stuck, waiting for a database.
LONGEST_WAIT_SECONDS = 0.3

_turns = threading.BoundedSemaphore(AT_A_TIME)
_mine = threading.local()


class TurnMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _take()
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
            _take()


def _take() -> None:
    _mine.turn = _turns.acquire(timeout=LONGEST_WAIT_SECONDS)


def _end() -> bool:
    had_one = getattr(_mine, "turn", False)
    _mine.turn = False
    if had_one:
        _turns.release()
    return had_one
