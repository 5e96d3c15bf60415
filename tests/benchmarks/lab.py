"""The server under load, its processes, and the figures of a measurement."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import psycopg2  # type: ignore[import-untyped]  # ships no types
import requests

from tests.benchmarks import people
from tests.benchmarks.wrk import Load
from tests.lab import servers
from tests.lab.servers import Env

SAMPLE_EVERY_SECONDS = 0.05
SETTLE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Lab:
    users: int
    folder: Path
    env: Env
    base_url: str
    server: psutil.Process
    database: psutil.Process
    beside: Path | None = None  # the folder of another project

    def settle(self) -> None:
        """Wait until the server has finished requests of disconnected clients."""
        deadline = time.monotonic() + SETTLE_SECONDS
        quick = 0
        while quick < 5 and time.monotonic() < deadline:
            start = time.monotonic()
            requests.get(f"{self.base_url}/readyz", timeout=SETTLE_SECONDS)
            quick = quick + 1 if time.monotonic() - start < 0.2 else 0
            time.sleep(0.2)

    def headers(self, person: int) -> dict[str, str]:
        return {"Authorization": f"Token {people.token(person)}"}


@contextmanager
def own_server(lab: Lab) -> Iterator[Lab]:
    """A web server that has just been started."""
    env = {**lab.env, "PORT": str(servers.free_port())}
    with servers.serve(lab.folder, env) as server:
        yield replace(
            lab,
            env=env,
            base_url=server.env["BASE_URL"],
            server=psutil.Process(server.process.pid),
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of CPU per request."""

    server: float
    database: float

    @property
    def total(self) -> float:
        return self.server + self.database

    def __str__(self) -> str:
        return f"{self.server:.1f} + {self.database:.1f} ms"


def measured(
    lab: Lab, load: Callable[[], Load], server: psutil.Process | None = None
) -> tuple[Load, Cost]:
    """`server`: instead of ours."""
    processes = (server or lab.server, lab.database)
    before = [cpu_seconds(process) for process in processes]
    seen = load()
    web, database = (
        (cpu_seconds(process) - first) * 1000 / max(seen.requests, 1)
        for process, first in zip(processes, before, strict=True)
    )
    return seen, Cost(web, database)


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the report."""

    bar: str  # P1 to P8
    what: str
    wanted: str
    seen: str
    met: bool | None = None  # None: has no target
    value: float | None = None  # used to find the median run


def at_most(bar: str, what: str, seen: float, most: float, unit: str = "") -> Figure:
    text = f"{seen:.3g}{unit}" if seen < 1000 else f"{seen:.0f}{unit}"
    return Figure(bar, what, f"≤ {most:g}{unit}", text, seen <= most, seen)


def at_least(bar: str, what: str, seen: float, least: float, unit: str = "") -> Figure:
    text = f"{seen:.0f}{unit}"
    return Figure(bar, what, f"≥ {least:g}{unit}", text, seen >= least, seen)


def megabytes(root: psutil.Process) -> float:
    """Memory of a process and its children; what several share counts once (PSS)."""
    total = 0
    for process in [root, *root.children(recursive=True)]:
        with suppress(OSError):  # it has ended
            rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
            found = re.search(r"^Pss: +(\d+) kB", rollup, re.MULTILINE)
            total += int(found[1]) if found else 0
    return total / 1024


def cpu_seconds(root: psutil.Process) -> float:
    """CPU seconds of a process and its children, including ended ones."""
    total = 0.0
    for process in [root, *root.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


class Connections:
    """The most connections to PostgreSQL at once, without the one that counts."""

    most = 0

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url)
        self._connection.autocommit = True
        self._over = threading.Event()

    def watch(self) -> None:
        with self._connection.cursor() as cursor:
            while not self._over.wait(SAMPLE_EVERY_SECONDS):
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE pid <> "
                    "pg_backend_pid() AND backend_type = 'client backend' "
                    "AND datname = current_database()"
                )
                self.most = max(self.most, cursor.fetchone()[0])

    def close(self) -> None:
        self._over.set()


@contextmanager
def watched(url: str) -> Iterator[Connections]:
    connections = Connections(url)
    thread = threading.Thread(target=connections.watch)
    thread.start()
    try:
        yield connections
    finally:
        connections.close()
        thread.join()
