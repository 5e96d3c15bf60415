import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.http import HttpRequest, HttpResponse

from config import turns


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(turns, "_turns", threading.BoundedSemaphore(1))
    yield
    assert turns._turns.acquire(blocking=False)  # every turn has ended


class Server:
    """Requests that take a while, and how many of them ran at once at most."""

    def __init__(self, seconds: float, *, aside: bool = False) -> None:
        self.seconds, self.aside = seconds, aside
        self.running = self.most = 0
        self.lock = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self.aside:
            with turns.stepping_aside():
                self._work()
        else:
            self._work()
        return HttpResponse()

    def _work(self) -> None:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(self.seconds)
        with self.lock:
            self.running -= 1

    def serve(self, requests: int) -> None:
        answer = turns.TurnMiddleware(self)
        with ThreadPoolExecutor(requests) as threads:
            list(threads.map(lambda i: answer(HttpRequest()), range(requests)))


def test_few_run_at_a_time() -> None:
    server = Server(0.01)
    server.serve(8)
    assert server.most == 1


def test_who_waits_for_an_sms_lets_others_run() -> None:
    server = Server(0.2, aside=True)
    server.serve(8)
    assert server.most > 1


def test_who_is_stuck_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT_SECONDS", 0.02)
    server = Server(0.3)
    server.serve(4)
    assert server.most > 1


def test_a_failure_ends_the_turn() -> None:
    def fail(request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        turns.TurnMiddleware(fail)(HttpRequest())


def test_without_a_turn_there_is_none_to_give_away() -> None:
    with turns.stepping_aside():
        assert turns._turns.acquire(blocking=False)
        turns._turns.release()
