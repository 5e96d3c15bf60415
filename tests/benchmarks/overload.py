"""P8: more clients than the machine can serve, with half of its CPUs taken away.

A web server of its own, the database and the load generator share the other half.
Others ask for the health checks and a page of the admin site meanwhile.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
import requests

from tests.benchmarks import staff, wrk
from tests.benchmarks.lab import Figure, Lab, at_most, own_server

CLIENTS = (200, 400, 1000)
SECONDS = 10
PROBE_EVERY_SECONDS = 0.5
PROFILE = "/api/profile/"
HEALTH = ("/healthz", "/readyz")
STAFF = "/admin/users/user/3/change/"
NORMAL_SECONDS = 5
NORMAL_MS = 100


def measure(lab: Lab) -> list[Figure]:
    with half_of_the_cpus(lab.database), own_server(lab) as limited:
        browser = staff.sign_in(limited)
        return [
            figure
            for clients in CLIENTS
            for figure in one_wave(limited, clients, browser)
        ]


def one_wave(lab: Lab, clients: int, browser: requests.Session) -> list[Figure]:
    over = threading.Event()
    with ThreadPoolExecutor() as others:
        health = others.submit(probe, lab, requests.Session(), HEALTH, over)
        pages = others.submit(probe, lab, browser, (STAFF,), over)
        load = wrk.run(
            lab.base_url + PROFILE,
            connections=clients,
            seconds=SECONDS,
            headers=lab.headers(3),
        )
        over.set()
        normal = seconds_until_normal(lab)
    name = f"{clients:,} clients, half the CPUs"
    failed = load.failures + health.result().failures + pages.result().failures
    seen = f"{load.rate:.0f}/s, {load.p50:.0f}, {load.p99:.0f} ms"
    slowest = f"{health.result().slowest:.0f}, {pages.result().slowest:.0f} ms"
    return [
        at_most("P8", f"{name}: failures", failed, 0),
        at_most("P8", f"{name}: back to normal", normal, NORMAL_SECONDS, " s"),
        Figure("P8", f"{name}: rate, p50, p99", "", seen),
        Figure("P8", f"{name}: slowest health check, admin page", "", slowest),
        *([Figure("P8", "refusal", "", load.refusal)] if load.refusal else []),
    ]


@contextmanager
def half_of_the_cpus(database: psutil.Process) -> Iterator[None]:
    """For this thread, for what it starts, and for the database."""
    own = psutil.Process(threading.get_native_id())
    before = own.cpu_affinity()
    half = before[: max(len(before) // 2, 1)]
    limited = [own, database, *database.children(recursive=True)]
    for process in limited:
        process.cpu_affinity(half)
    try:
        yield
    finally:
        for process in limited:
            if process.is_running():
                process.cpu_affinity(before)


@dataclass(slots=True)
class Probes:
    milliseconds: list[float] = field(default_factory=list)
    failures: int = 0

    @property
    def slowest(self) -> float:
        return max(self.milliseconds, default=0)


def probe(
    lab: Lab, session: requests.Session, paths: tuple[str, ...], over: threading.Event
) -> Probes:
    probes = Probes()
    while not over.wait(PROBE_EVERY_SECONDS):
        for path in paths:
            start = time.monotonic()
            try:
                answer = session.get(
                    lab.base_url + path,
                    headers={"Connection": "close"},
                    timeout=wrk.TIMEOUT_SECONDS,
                )
                probes.failures += answer.status_code != 200
            except requests.RequestException:
                probes.failures += 1
            probes.milliseconds.append((time.monotonic() - start) * 1000)
    return probes


def seconds_until_normal(lab: Lab) -> float:
    """Until the second of two profiles in a row that take less than NORMAL_MS."""
    start = time.monotonic()
    quick = 0
    while quick < 2 and time.monotonic() - start < wrk.TIMEOUT_SECONDS:
        asked = time.monotonic()
        answer = requests.get(
            lab.base_url + PROFILE, headers=lab.headers(3), timeout=wrk.TIMEOUT_SECONDS
        )
        is_quick = (time.monotonic() - asked) * 1000 < NORMAL_MS
        quick = quick + 1 if answer.ok and is_quick else 0
    return time.monotonic() - start
