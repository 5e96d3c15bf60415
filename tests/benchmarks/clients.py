"""P4: 200 clients that read their profile as fast as they can."""

from tests.benchmarks import wrk
from tests.benchmarks.lab import Figure, Lab, at_most

CLIENTS = 200
SECONDS = 15


def measure(lab: Lab) -> list[Figure]:
    load = wrk.run(
        f"{lab.base_url}/api/profile/",
        connections=CLIENTS,
        seconds=SECONDS,
        headers=lab.headers(3),
    )
    seen = f"{load.rate:.0f}/s, {load.p50:.0f}, {load.p99:.0f} ms"
    return [
        at_most("P4", f"{CLIENTS} clients: failures", load.failures, 0),
        Figure("P4", f"{CLIENTS} clients: rate, p50, p99", "", seen),
    ]
