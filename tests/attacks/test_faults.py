"""T22, T23: PostgreSQL, Redis or the web server is killed while it is working."""

import queue
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psycopg2  # type: ignore[import-untyped]  # ships no types
import pytest

from tests.attacks.attacker import AWAY, Answer, Target, names, new_address
from tests.attacks.conftest import Report
from tests.attacks.plant import (
    ANSWER_SECONDS,
    Plant,
    recover,
)
from tests.lab.shared import at_once, new_phone_number

AWAY_SECONDS = 3


@pytest.fixture(scope="module")
def served(plant: Plant) -> Target:
    return plant.serve()[1]


@dataclass
class Seen:
    kind: str
    answer: Answer
    start: float
    end: float


@dataclass
class Load:
    """Threads that sign in and read profiles until they are stopped."""

    target: Target
    token: str
    seen: list[Seen] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    codes: "queue.Queue[tuple[str, str]]" = field(default_factory=queue.Queue)

    def prepare(self, number: int) -> None:
        phones = [new_phone_number() for _ in range(number)]
        answers = at_once(
            number, lambda i: self.target.send_code(phones[i], address=new_address())
        )
        for phone, answer in zip(phones, answers, strict=True):
            self.codes.put((phone, answer.json["dev_code"]))

    def __enter__(self) -> "Load":
        self.prepare(300)
        people = [self._ask] * 4 + [self._verify] * 6 + [self._profile] * 4
        self.threads = [threading.Thread(target=self._go, args=(p,)) for p in people]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)

    def between(self, start: float, end: float) -> list[Seen]:
        """Requests that started and ended between these moments."""
        return [s for s in self.seen if s.start >= start and s.end <= end]

    def _go(self, act: Callable[[], None]) -> None:
        while not self.stopping.is_set():
            act()
            time.sleep(0.03)

    def _note(self, kind: str, act: Callable[[], Answer]) -> Answer:
        start = time.monotonic()
        answer = act()
        self.seen.append(Seen(kind, answer, start, time.monotonic()))
        return answer

    def _ask(self) -> None:
        phone = new_phone_number()
        answer = self._note(
            "request-code", lambda: self.target.send_code(phone, address=new_address())
        )
        if answer.status == 200:
            self.codes.put((phone, answer.json["dev_code"]))

    def _verify(self) -> None:
        with suppress(queue.Empty):
            phone, code = self.codes.get(timeout=1)
            answer = self._note(
                "verify", lambda: self.target.verify(phone, code, address=new_address())
            )
            if answer.status == 200:
                self.signed_in.append(phone)
            elif answer.name == "service_unavailable":
                self.codes.put((phone, code))
                time.sleep(0.1)

    def _profile(self) -> None:
        self._note(
            "profile",
            lambda: self.target.with_token("GET", "/api/profile/", self.token),
        )


@pytest.fixture
def load(served: Target) -> Load:
    signed_in = served.sign_in(new_phone_number(), address=new_address())
    return Load(served, signed_in["token"])


def _kinds(seen: list[Seen]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for one in seen:
        name = "cut off" if one.answer.status == AWAY else one.answer.name
        found.setdefault(one.kind, Counter())[name] += 1
    return {kind: dict(counts) for kind, counts in sorted(found.items())}


def _kill(plant: Plant, name: str) -> None:
    plant.kill(name)


def _stop(plant: Plant, name: str) -> None:
    plant.parts[name].process.send_signal(signal.SIGSTOP)


def _go_on(plant: Plant, name: str) -> None:
    plant.parts[name].process.send_signal(signal.SIGCONT)


Step = Callable[[Plant, str], None]
OUTAGES: dict[str, tuple[str, Step, Step, float]] = {
    "Redis killed": ("cache", _kill, Plant.start, AWAY_SECONDS),
    "Redis slow": ("cache", _stop, _go_on, 4),
    "Redis stopped": ("cache", _stop, _go_on, 9),
    "PostgreSQL killed": ("database", _kill, Plant.start, AWAY_SECONDS),
}
# Requests that need the part that is down. Others may still succeed.
NEEDS = {
    "cache": {"request-code", "verify"},
    "database": {"profile", "verify"},
}


@pytest.mark.parametrize("outage", OUTAGES)
def test_t22_outage_answers_503_and_recovers(
    plant: Plant, served: Target, load: Load, report: Report, outage: str
) -> None:
    part, begin, end, seconds = OUTAGES[outage]
    with load:
        time.sleep(1.5)
        begin(plant, part)
        gone = time.monotonic()
        time.sleep(0.3)  # requests in progress have ended
        ready = served.request("GET", "/readyz")
        ready_took = time.monotonic() - gone - 0.3
        time.sleep(max(gone + seconds - time.monotonic(), 0))
        back = time.monotonic()
        end(plant, part)
        recovery = recover(served)
        time.sleep(1.5)
    away = load.between(gone, back)
    slowest = max(s.end - s.start for s in load.seen)
    after = _kinds(load.between(back + recovery, time.monotonic()))
    report(
        "T22",
        f"{outage} for {seconds} s under load",
        f"slowest {slowest:.1f} s, works {recovery:.1f} s after",
    )
    report("T22", f"{outage}: answers during the outage", str(_kinds(away)))
    states = {"database": "ok", "cache": "ok", part: "unavailable"}
    assert (ready.status, ready.json) == (503, {"status": "unavailable", **states})
    assert ready_took < ANSWER_SECONDS
    assert slowest < ANSWER_SECONDS
    for kind, counts in _kinds(away).items():
        allowed = {"service_unavailable", "cut off"}
        assert set(counts) <= (allowed if kind in NEEDS[part] else {*allowed, "200"})
    everything = _kinds(load.seen)
    for counts in everything.values():
        assert set(counts) <= {"200", "service_unavailable", "cut off"}, everything
    for kind, counts in after.items():
        assert set(counts) == {"200"}, (kind, after)
    found = plant.rows(
        "SELECT count(*) FROM users_user WHERE phone_number = ANY(%s)", load.signed_in
    )
    assert found[0][0] == len(set(load.signed_in)) == len(load.signed_in)
    assert plant.odd_rows() == {}


def test_t22_outage_uses_up_no_guess(
    plant: Plant, served: Target, report: Report
) -> None:
    phone, address = new_phone_number(), new_address()
    code = served.code_of(phone, address=address)
    plant.kill("database")
    tries = [served.verify(phone, code, address=address) for _ in range(8)]
    time.sleep(1)
    plant.start("database")
    recover(served)
    answer = served.verify(phone, code, address=address)
    report(
        "T22",
        "the right code 8 times while PostgreSQL is down",
        f"{dict(names(tries))}; afterwards {answer.name}",
    )
    assert {a.name for a in tries} == {"service_unavailable"}
    assert answer.status == 200


def test_t22_locked_table_answers_503(
    plant: Plant, served: Target, report: Report
) -> None:
    """Another session has locked a table, so every query on it waits."""
    token = served.sign_in(new_phone_number(), address=new_address())["token"]
    phones = [new_phone_number() for _ in range(10)]
    codes = [served.code_of(p, address=new_address()) for p in phones]

    def act(i: int) -> Answer:
        if i % 2:
            return served.with_token("GET", "/api/profile/", token)
        return served.verify(phones[i // 2], codes[i // 2], address=new_address())

    with closing(psycopg2.connect(plant.database_url)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE users_user IN ACCESS EXCLUSIVE MODE")
        unlock = threading.Timer(8, connection.rollback)
        unlock.start()
        start = time.monotonic()
        seen: list[tuple[str, float]] = []

        def timed(i: int) -> Answer:
            answer = act(i)
            seen.append((answer.name, time.monotonic() - start))
            return answer

        at_once(20, timed)
        unlock.join()
    slowest = max(took for _, took in seen)
    report(
        "T22",
        "a table locked for 8 s",
        f"slowest {slowest:.1f} s, {dict(Counter(name for name, _ in seen))}",
    )
    recover(served)
    assert plant.odd_rows() == {}
    assert slowest < ANSWER_SECONDS
    assert {name for name, _ in seen} == {"service_unavailable"}


def test_t22_slow_clients_do_not_block_others(plant: Plant, report: Report) -> None:
    """More clients than threads, and none of them finishes its request."""
    _, target = plant.serve(WEB_WORKERS="1", WEB_THREADS="8")
    host = urlsplit(target.base_url)
    token = target.sign_in(new_phone_number(), address=new_address())["token"]
    stop = threading.Event()
    with ExitStack() as open_sockets:
        slow = [
            open_sockets.enter_context(
                socket.create_connection((host.hostname, host.port))
            )
            for _ in range(12)
        ]
        for i, connection in enumerate(slow):
            head = b"POST /api/auth/verify-code/ HTTP/1.1\r\nContent-Length: 900\r\n"
            connection.sendall(head + (b"\r\n" if i % 2 else b"X-A: "))
        trickle = threading.Thread(target=_trickle, args=(slow, stop))
        trickle.start()
        time.sleep(1)
        start = time.monotonic()
        answer = target.with_token("GET", "/api/profile/", token)
        waited = time.monotonic() - start
        stop.set()
        trickle.join()
    report(
        "T22",
        "12 clients that send one byte per second, 8 threads",
        f"a profile: {answer.status} after {waited:.1f} s",
    )
    assert answer.status == 200
    assert waited < 25


def test_t22_idle_uploads_do_not_block_others(plant: Plant, report: Report) -> None:
    """As many as requests are handled at once. Django would wait for their files."""
    _, target = plant.serve(WEB_WORKERS="1")
    host = urlsplit(target.base_url)
    token = target.sign_in(new_phone_number(), address=new_address())["token"]
    upload = (
        f"POST /login/ HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Length: 70000\r\n"
        f"Referer: {target.base_url}/\r\nCookie: csrftoken={'a' * 32}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
        'Content-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
    ).encode()
    with ExitStack() as open_sockets:
        for _ in range(8):
            connection = open_sockets.enter_context(
                socket.create_connection((host.hostname, host.port))
            )
            connection.sendall(upload)
        time.sleep(1)
        start = time.monotonic()
        answer = target.with_token("GET", "/api/profile/", token)
        waited = time.monotonic() - start
    report(
        "T22",
        "8 uploads of which only the head is sent, 4 requests at once",
        f"a profile: {answer.status} after {waited:.1f} s",
    )
    assert answer.status == 200
    assert waited < ANSWER_SECONDS


def _trickle(connections: list[socket.socket], stop: threading.Event) -> None:
    while not stop.wait(1):
        for connection in connections:
            with suppress(OSError):  # the server has closed the connection
                connection.send(b"a")
