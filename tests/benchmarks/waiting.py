"""P3: a thousand clients wait for an SMS while others read their profile.

In the ramp-up all clients start in the same instant. Both figures are measured after
it. Reading during the ramp-up has its own row. The web server has just been started, so
its memory is first that of an idle one.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.benchmarks import people, wrk
from tests.benchmarks.lab import (
    Figure,
    Lab,
    at_least,
    at_most,
    measured,
    megabytes,
    own_server,
)

CLIENTS = 1000
MEAN_DELAY_SECONDS = 1.5  # SMS_SIMULATED_DELAY's default of 1,2
SECONDS = 25
RAMP_SECONDS = 5
READERS = 10
PAUSE_MS = 200  # 10 readers: up to 50 requests per second


def measure(shared: Lab) -> list[Figure]:
    with own_server(shared) as lab:
        return measure_with_memory(lab)


def measure_with_memory(lab: Lab) -> list[Figure]:
    idle = megabytes(lab.server)
    first = people.FIRST_NEW_NUMBER + people.draw_new_numbers(100_000)
    ask = partial(
        wrk.run,
        f"{lab.base_url}/api/auth/request-code/",
        connections=CLIENTS,
        seconds=SECONDS,
        script=wrk.Script("request_code", (first, RAMP_SECONDS)),
    )
    with ThreadPoolExecutor() as loads:
        asking = loads.submit(measured, lab, ask)
        at_first = read(lab, RAMP_SECONDS)
        profile = read(lab, SECONDS - RAMP_SECONDS)
        waiting = megabytes(lab.server)  # threads keep their memory
        codes, cost = asking.result()
    rate = codes.steady / (codes.seconds - RAMP_SECONDS)
    ideal = CLIENTS / MEAN_DELAY_SECONDS
    failed = codes.failures + at_first.failures + profile.failures
    return [
        at_least("P3", f"{CLIENTS:,} clients ask for codes", rate, 0.96 * ideal, "/s"),
        at_most("P3", "failures", failed, 0),
        at_most("P3", "profile during it: p99", profile.p99, 100, " ms"),
        at_most("P3", "memory of the web server, idle", idle, 250, " MB"),
        at_most("P3", "memory, above idle", waiting - idle, 100, " MB"),
        Figure("P3", "code: p50, p99", "", f"{codes.p50:.0f}, {codes.p99:.0f} ms"),
        Figure("P3", "code with the profiles read: CPU", "", str(cost)),
        Figure(
            "P3", "profiles read: p50", "", f"{profile.requests}: {profile.p50:.0f} ms"
        ),
        Figure(
            *("P3", "profile in the ramp-up: p50, p99", ""),
            f"{at_first.p50:.0f}, {at_first.p99:.0f} ms",
        ),
        *refused("P3", codes, at_first, profile),
    ]


def read(lab: Lab, seconds: int) -> wrk.Load:
    return wrk.run(
        f"{lab.base_url}/api/profile/",
        connections=READERS,
        seconds=seconds,
        script=wrk.Script("get", (PAUSE_MS,)),
        headers=lab.headers(3),
    )


def refused(bar: str, *loads: wrk.Load) -> list[Figure]:
    """One refused answer of each load that has any, as an example."""
    return [Figure(bar, "refusal", "", load.refusal) for load in loads if load.refusal]
