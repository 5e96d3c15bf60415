import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest
from django.http import HttpRequest, HttpResponse

from config.server import request_queue


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(request_queue, "_queue", request_queue.RequestQueue(1))
    yield
    assert request_queue._queue.free == 1  # every slot was released


class Server:
    """Requests that take a while, and how many of them ran at once at most."""

    def __init__(self, seconds: float, *, aside: bool = False) -> None:
        self.seconds, self.aside = seconds, aside
        self.running = self.most = 0
        self.lock = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self.aside:
            with request_queue.slot_released():
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
        answer = request_queue.RequestQueueMiddleware(self)
        with ThreadPoolExecutor(requests) as threads:
            list(threads.map(lambda i: answer(HttpRequest()), range(requests)))


def test_few_run_at_a_time() -> None:
    server = Server(0.01)
    server.serve(8)
    assert server.most == 1


def test_a_request_that_waits_for_an_sms_lets_others_run() -> None:
    server = Server(0.2, aside=True)
    server.serve(8)
    assert server.most > 1


def test_a_request_that_hangs_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(request_queue, "LONGEST_WAIT_SECONDS", 0.05)
    server = Server(0.5)
    server.serve(4)
    assert server.most == 4


def test_slots_that_are_released_do_not_make_the_wait_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(request_queue, "LONGEST_WAIT_SECONDS", 0.1)
    server = Server(0.09)
    start = time.monotonic()
    server.serve(20)  # one after the other they take 1.8 s
    assert time.monotonic() - start < 1


def served(arrivals: Sequence[bool]) -> list[int]:
    """The order in which reads and others are served that arrive in this one."""
    order: list[int] = []
    queue = request_queue.RequestQueue(1)
    assert queue.acquire(is_read=True)

    def wait(number: int, is_read: bool) -> None:
        queue.acquire(is_read=is_read)
        order.append(number)
        queue.release()

    threads = [Thread(target=wait, args=item) for item in enumerate(arrivals)]
    for place, thread in enumerate(threads, start=1):
        thread.start()
        while queue.waiting < place:
            time.sleep(0.001)
    queue.release()
    for thread in threads:
        thread.join()
    return order


def test_requests_are_served_in_the_order_of_arrival() -> None:
    assert served([True] * 20) == list(range(20))


def test_reads_wait_for_no_queue_of_writes() -> None:
    assert served([False] * 8 + [True] * 2) == [8, 0, 9, 1, 2, 3, 4, 5, 6, 7]


def test_a_failure_releases_the_slot() -> None:
    def fail(request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        request_queue.RequestQueueMiddleware(fail)(HttpRequest())


def test_a_thread_without_a_slot_releases_none() -> None:
    with request_queue.slot_released():
        assert request_queue._queue.free == 1
