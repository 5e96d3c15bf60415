"""P5: sign-ins per second. The codes are issued beforehand."""

import secrets
from functools import partial

from tests.benchmarks import people, wrk
from tests.benchmarks.lab import Cost, Figure, Lab, at_least, at_most, measured
from tests.benchmarks.waiting import refused
from tests.lab import servers

# Below LIMIT_GUESSES_PER_ADDRESS, which also counts requests in progress.
CONNECTIONS = 32
SECONDS = 10
MOST_A_SECOND = 1200


def measure(lab: Lab) -> list[Figure]:
    count = SECONDS * MOST_A_SECOND
    new, cost_new = run(lab, people.draw_new_numbers(count), count, new=True)
    count = min(count, lab.users)
    first = 1 + secrets.randbelow(lab.users - count + 1)
    returning, cost_returning = run(lab, first, count, new=False)
    failed = new.failures + returning.failures
    return [
        at_least("P5", "sign-ins of new people", new.rate, 150, "/s"),
        at_least("P5", "sign-ins of people who return", returning.rate, 450, "/s"),
        at_most("P5", "returning: CPU", cost_returning.server, 3, " ms"),
        at_most("P5", "failures", failed, 0),
        latency("new", new, cost_new),
        latency("returning", returning, cost_returning),
        *refused("P5", new, returning),
    ]


def run(lab: Lab, first: int, count: int, *, new: bool) -> tuple[wrk.Load, Cost]:
    file = lab.folder / "codes.txt"
    arguments = [f"--first={first}", f"--count={count}", f"--file={file}"]
    servers.manage(lab.env, "issue_codes", *arguments, *(["--new"] if new else []))
    load = partial(
        wrk.run,
        f"{lab.base_url}/api/auth/verify-code/",
        connections=CONNECTIONS,
        seconds=SECONDS,
        script=wrk.Script("verify_code", (file,)),
    )
    return measured(lab, load)


def latency(who: str, load: wrk.Load, cost: Cost) -> Figure:
    seen = f"{load.p50:.0f}, {load.p99:.0f} ms, {cost}"
    return Figure("P5", f"{who}: p50, p99, CPU", "", seen)
