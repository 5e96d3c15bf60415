"""Two web servers behind the shipped nginx, with one PostgreSQL and one Redis.

`make scale` prints the measurements.
"""

import json
import os
import signal
import socket
import socketserver
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from tests.e2e import proxy
from tests.e2e.conftest import TIMEOUT_SECONDS, Answer, Server, outcomes
from tests.e2e.test_races import ATTEMPTS, NOT_COMPARED, show
from tests.lab import servers
from tests.lab.shared import at_once, new_phone_number, wrong

HOSTS = ["127.0.0.2", "127.0.0.3"]
SETTINGS = {
    "ALLOWED_HOSTS": ",".join(["127.0.0.1", *HOSTS]),
    "TRUSTED_PROXY_COUNT": "1",
    "SMS_SIMULATED_DELAY": "0.2",
}
SIGNING_IN, READING = 8, 4


class Site:
    """Clients use `proxy`; `servers` has the web servers behind it, by host."""

    def __init__(self, running: ExitStack) -> None:
        self.running = running
        self.folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        env = running.enter_context(servers.postgresql(self.folder)).env
        env |= running.enter_context(servers.redis(self.folder)).env
        self.env = servers.prepare(
            {**env, **servers.production(self.folder), **SETTINGS}
        )
        self.servers = {host: self.start(host) for host in HOSTS}
        self.port = int(self.env["PORT"])
        front = running.enter_context(proxy.nginx(self.folder, HOSTS, self.port))
        self.proxy = Server(front.env["BASE_URL"])
        self.proxy_log = front.log

    def start(self, host: str) -> servers.Service:
        return self.running.enter_context(servers.serve(self.folder, self.env, host))

    def kill(self, host: str) -> None:
        """Kill master and workers at once, as if the machine were lost."""
        process = self.servers[host].process
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        while self._listens(host):
            time.sleep(0.005)

    def _listens(self, host: str) -> bool:
        with suppress(OSError), socket.create_connection((host, self.port), 1):
            return True
        return False

    def passed_on(self, path: str) -> list[dict[str, str]]:
        """The lines of nginx's access log for requests to the path."""
        time.sleep(0.1)
        lines = self.proxy_log.read_text(errors="replace").splitlines()
        noted: list[dict[str, str]] = [
            json.loads(line) for line in lines if line.startswith("{")
        ]
        return [line for line in noted if line["path"].startswith(path)]

    def shares(self, path: str) -> Counter[str]:
        """How many requests to the path each web server got."""
        return Counter(line["web"].split(":")[0] for line in self.passed_on(path))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with ExitStack() as running:
        yield Site(running)


def test_two_servers_share_the_limit_on_guesses(site: Site) -> None:
    phone = new_phone_number()
    code = site.proxy.ask_for_code(phone)
    body = {"phone_number": phone, "code": wrong(code)}
    url = site.proxy.base_url + "/api/auth/verify-code/"

    def guess(i: int) -> Answer:
        lie = {"X-Forwarded-For": f"10.0.{i // 250}.{i % 250}"}
        return requests.post(url, json=body, headers=lie, timeout=TIMEOUT_SECONDS)

    before = site.shares("/api/auth/verify-code/")
    seen = outcomes(at_once(500, guess))
    shares = site.shares("/api/auth/verify-code/") - before
    show("500 wrong guesses, each with a forged address", seen)
    show("requests per server", shares)
    assert seen["code_incorrect"] == ATTEMPTS
    assert set(seen) <= {"code_incorrect", *NOT_COMPARED}
    assert set(shares) == set(HOSTS)


def test_two_servers_send_one_sms_for_200_requests(site: Site) -> None:
    body = {"phone_number": new_phone_number()}
    sms_before, before = _sms(site), site.shares("/api/auth/request-code/")
    seen = outcomes(
        at_once(200, lambda i: site.proxy.post("/api/auth/request-code/", body))
    )
    sms = _sms(site) - sms_before
    shares = site.shares("/api/auth/request-code/") - before
    show(f"200 code requests for one number, {sms} SMS", seen)
    show("requests per server", shares)
    assert sms == 1
    assert seen == {"200": 1, "throttled": 199}
    assert set(shares) == set(HOSTS)


def _sms(site: Site) -> int:
    log = site.servers[HOSTS[0]].log  # both servers write to it
    return log.read_text(errors="replace").count("SMS to ")


@dataclass
class Load:
    """Threads that sign in new users, and threads that read a profile."""

    server: Server
    token: str
    seen: list["Seen"] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Load":
        people = [self._sign_in] * SIGNING_IN + [self._read] * READING
        self.threads = [threading.Thread(target=self._go, args=[p]) for p in people]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _go(self, act: Callable[[], None]) -> None:
        while not self.stopping.wait(0.05):
            act()

    def _sign_in(self) -> None:
        phone = new_phone_number()
        body = {"phone_number": phone}
        sent = self._note("/api/auth/request-code/", body)
        if sent.ok:
            body["code"] = sent.json()["dev_code"]
            self._note("/api/auth/verify-code/", body)

    def _read(self) -> None:
        self._note("/api/profile/")

    def _note(self, path: str, body: dict[str, str] | None = None) -> Answer:
        start = time.monotonic()
        try:
            if body:
                answer = self.server.post(path, body)
            else:
                answer = self.server.get(path, self.token)
        except requests.exceptions.ChunkedEncodingError:
            answer = _cut_off()
        # These keep the connection open as long as the answer is kept, and nginx limits
        # the connections of an address.
        answer.raw = None
        answer.connection = None  # type: ignore[assignment]
        self.seen.append(Seen(path, answer, start, time.monotonic()))
        return answer


def _cut_off() -> Answer:
    """Stands for an answer that was cut off because its server was killed."""
    answer = Answer()
    answer.status_code = 502
    answer._content = b'{"errors": [{"code": "cut_off"}]}'
    return answer


@dataclass(frozen=True, slots=True)
class Seen:
    path: str
    answer: Answer
    start: float
    end: float


def test_site_survives_the_loss_of_a_server_under_load(site: Site) -> None:
    victim, other = HOSTS
    token = site.proxy.sign_in(new_phone_number())["token"]
    before = len(site.passed_on("/api/"))
    with Load(site.proxy, token) as load:
        time.sleep(3)
        killed = time.monotonic()
        site.kill(victim)
        gone = time.monotonic()
        time.sleep(3)
        site.servers[victim] = site.start(victim)
        back = time.monotonic()
        time.sleep(2)
    for path in ("/api/auth/request-code/", "/api/auth/verify-code/", "/api/profile/"):
        show(path, outcomes(s.answer for s in load.seen if s.path == path))
    failed = [s for s in load.seen if not s.answer.ok]
    noted = site.passed_on("/api/")[before:]
    moved = [line for line in noted if line["web"].count(":") > 1]
    show(
        "one of two servers killed",
        Counter({"failed": len(failed), "repeated at the other": len(moved)}),
    )
    names = outcomes(s.answer for s in failed)
    assert set(names) <= {"service_unavailable", "cut_off"}
    # Only requests that the killed server was handling may fail.
    assert all(s.start < gone and s.end > killed for s in failed)
    assert len(failed) <= SIGNING_IN + READING
    lost = [line["web"] for line in noted if int(line["status"]) >= 500]
    assert lost == [f"{victim}:{site.port}"] * names["service_unavailable"]
    # The other server took over at once. Later the first one gets requests again.
    assert moved
    assert all(other in line["web"] for line in moved)
    assert sum(s.start > gone and s.end < back for s in load.seen) > 50
    since = [line["web"] for line in noted if line["time"] >= _clock(back)]
    assert f"{victim}:{site.port}" in since


def _clock(moment: float) -> str:
    """A moment of the monotonic clock, in the format of nginx's log."""
    at = time.time() - time.monotonic() + moment
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(at))


@pytest.mark.parametrize(("method", "times"), [("POST", 1), ("PATCH", 1), ("GET", 2)])
def test_only_get_requests_are_repeated_at_the_other_server(
    tmp_path: Path, method: str, times: int
) -> None:
    """The servers behind the proxy read a request and close the connection."""
    received: list[str] = []

    class GoAway(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            received.append(self.rfile.readline().split()[0].decode())

    with ExitStack() as running:
        port = servers.free_port()
        for host in HOSTS:
            server = socketserver.ThreadingTCPServer((host, port), GoAway)
            running.enter_context(server)
            running.enter_context(proxy.answering(server))
        front = running.enter_context(proxy.nginx(tmp_path, HOSTS, port))
        url = front.env["BASE_URL"] + "/api/profile/"
        answer = requests.request(method, url, json={}, timeout=TIMEOUT_SECONDS)
    show(f"{method} to servers that close the connection", Counter(received))
    assert outcomes([answer]) == {"service_unavailable": 1}
    assert answer.headers["Retry-After"]
    assert received == [method] * times
