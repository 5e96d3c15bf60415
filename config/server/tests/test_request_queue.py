import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest
from django.http import HttpRequest, HttpResponse

from config.server import request_queue as turns


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(turns, "_turns", turns.Turns(1))
    yield
    assert turns._turns.free == 1  # every turn has ended


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
    monkeypatch.setattr(turns, "LONGEST_WAIT_SECONDS", 0.05)
    server = Server(0.5)
    server.serve(4)
    assert server.most == 4


def test_turns_that_end_now_and_then_do_not_make_the_wait_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT_SECONDS", 0.1)
    server = Server(0.09)
    start = time.monotonic()
    server.serve(20)  # one after the other they take 1.8 s
    assert time.monotonic() - start < 1


def served(arrivals: Sequence[bool]) -> list[int]:
    """The order in which reads and others are served that arrive in this one."""
    order: list[int] = []
    queue = turns.Turns(1)
    assert queue.take(is_read=True)

    def wait(number: int, is_read: bool) -> None:
        queue.take(is_read=is_read)
        order.append(number)
        queue.end()

    threads = [Thread(target=wait, args=item) for item in enumerate(arrivals)]
    for place, thread in enumerate(threads, start=1):
        thread.start()
        while queue.waiting < place:
            time.sleep(0.001)
    queue.end()
    for thread in threads:
        thread.join()
    return order


def test_who_came_first_is_served_first() -> None:
    assert served([True] * 20) == list(range(20))


def test_reads_wait_for_no_queue_of_writes() -> None:
    assert served([False] * 8 + [True] * 2) == [8, 0, 9, 1, 2, 3, 4, 5, 6, 7]


def test_a_failure_ends_the_turn() -> None:
    def fail(request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        turns.TurnMiddleware(fail)(HttpRequest())


def test_without_a_turn_there_is_none_to_give_away() -> None:
    with turns.stepping_aside():
        assert turns._turns.free == 1
