import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest

from config.server import request_queue
from config.server.request_queue import Kind, slot, slot_released


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(request_queue, "_queue", request_queue.RequestQueue(1))
    yield
    assert request_queue._queue.free == 1  # every slot was released


class Work:
    """Requests that take a while, and how many of them ran at once at most."""

    def __init__(self, seconds: float, *, aside: bool = False) -> None:
        self.seconds, self.aside = seconds, aside
        self.running = self.most = 0
        self.lock = threading.Lock()

    def run(self, i: int) -> bool:
        """Whether it came in time."""
        with slot(Kind.READ) as is_in_time:
            if not is_in_time:
                return False
            if self.aside:
                with slot_released():
                    self._work()
            else:
                self._work()
            request_queue.note_success()
            return True

    def _work(self) -> None:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(self.seconds)
        with self.lock:
            self.running -= 1

    def serve(self, requests: int) -> Counter[bool]:
        with ThreadPoolExecutor(requests) as threads:
            return Counter(threads.map(self.run, range(requests)))


def test_few_run_at_a_time() -> None:
    work = Work(0.01)
    assert work.serve(8) == {True: 8}
    assert work.most == 1


def test_a_request_that_waits_for_an_sms_lets_others_run() -> None:
    work = Work(0.2, aside=True)
    work.serve(8)
    assert work.most > 1


def test_a_queue_that_moves_serves_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long each must wait, up to LONGEST_WAIT_SECONDS."""
    monkeypatch.setattr(request_queue, "STALLED_SECONDS", 0.5)
    assert Work(0.05).serve(20) == {True: 20}


def test_a_request_that_has_waited_too_long_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(request_queue, "LONGEST_WAIT_SECONDS", 0.1)
    queue = request_queue._queue
    assert queue.acquire(Kind.READ)
    with ThreadPoolExecutor(1) as thread:
        late = thread.submit(queue.acquire, Kind.READ)
        while queue.waiting < 1:
            time.sleep(0.001)
        time.sleep(0.15)
        queue.release(Kind.READ)  # it succeeded: the queue is not stalled
    assert not late.result()
    queue.release(None)


def test_behind_requests_that_fail_all_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(request_queue, "STALLED_SECONDS", 0.1)
    queue = request_queue._queue
    assert queue.acquire(Kind.READ)
    with ThreadPoolExecutor(5) as threads:
        others = [threads.submit(queue.acquire, Kind.READ) for _ in range(5)]
        while queue.waiting < 5:
            time.sleep(0.001)
        time.sleep(0.15)
        for _ in others:
            queue.release(None)
    assert not any(other.result() for other in others)
    queue.release(None)


def test_behind_slow_requests_that_succeed_none_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(request_queue, "STALLED_SECONDS", 0.6)
    assert Work(0.2).serve(6) == {True: 6}


def test_requests_that_hang_do_not_refuse_another_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(request_queue, "STALLED_SECONDS", 0.1)
    queue = request_queue.RequestQueue(1)
    assert queue.acquire(Kind.WRITE)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(queue.acquire, Kind.READ)
        while queue.waiting < 1:
            time.sleep(0.001)
        second = threads.submit(queue.acquire, Kind.READ)
        while queue.waiting < 2:
            time.sleep(0.001)
        queue.release(None)
        assert first.result()
        time.sleep(0.15)
        queue.release(Kind.READ)
        assert second.result()


def test_a_long_wait_for_an_sms_is_no_hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "STALLED_SECONDS", 0.4)
    quick = Work(0.01)

    def send_sms(i: int) -> bool:
        with slot(Kind.READ) as is_in_time:
            if is_in_time:
                quick._work()
                request_queue.note_success()
                with slot_released():
                    time.sleep(0.6)
            return is_in_time

    with ThreadPoolExecutor(30) as threads:
        assert all(threads.map(send_sms, range(30)))


def test_a_request_that_has_sent_its_sms_is_never_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(request_queue, "LONGEST_WAIT_SECONDS", 0)
    with slot(Kind.WRITE), slot_released():
        other = ThreadPoolExecutor(1)
        other.submit(Work(0.05).run, 0)
        while request_queue._queue.free:
            time.sleep(0.001)
    other.shutdown()


def served(arrivals: Sequence[Kind]) -> list[int]:
    """The order in which requests are served that arrive in this one."""
    order: list[int] = []
    queue = request_queue.RequestQueue(1)
    assert queue.acquire(Kind.READ)

    def wait(number: int, kind: Kind) -> None:
        queue.acquire(kind)
        order.append(number)
        queue.release(None)

    threads = [Thread(target=wait, args=item) for item in enumerate(arrivals)]
    for place, thread in enumerate(threads, start=1):
        thread.start()
        while queue.waiting < place:
            time.sleep(0.001)
    queue.release(None)
    for thread in threads:
        thread.join()
    return order


def test_requests_are_served_in_the_order_of_arrival() -> None:
    assert served([Kind.READ] * 20) == list(range(20))


def test_reads_wait_for_no_queue_of_writes() -> None:
    arrivals = [Kind.WRITE] * 8 + [Kind.READ] * 2
    assert served(arrivals) == [8, 0, 9, 1, 2, 3, 4, 5, 6, 7]


def test_staff_wait_for_no_queue_of_clients() -> None:
    arrivals = [Kind.READ] * 4 + [Kind.WRITE] * 4 + [Kind.STAFF]
    assert served(arrivals) == [8, 0, 4, 1, 5, 2, 6, 3, 7]


def test_a_failure_releases_the_slot() -> None:
    with pytest.raises(ZeroDivisionError), slot(Kind.READ):
        raise ZeroDivisionError


def test_a_thread_without_a_slot_releases_none() -> None:
    with slot_released():
        assert request_queue._queue.free == 1
