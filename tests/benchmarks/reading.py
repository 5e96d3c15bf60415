"""P1 and P2: cost of the profile, compared with a bare view and with longer lists.

The views take turns in each round, so other load on the machine affects all of them.
"""

from collections.abc import Callable
from functools import partial
from statistics import median
from typing import NamedTuple

import requests
from tqdm import tqdm

from tests.benchmarks import people, wrk
from tests.benchmarks.lab import Cost, Figure, Lab, at_most, measured
from tests.benchmarks.middleware import COUNT_QUERIES, QUERIES

ROUNDS = 7
SECONDS = 3
CONNECTIONS = 8
PROFILE = "/api/profile/"


class Round(NamedTuple):
    cost: Cost
    p50: float


Rounds = dict[str, list[Round]]
Part = Callable[[Round], float]


def measure(lab: Lab) -> list[Figure]:
    big, middle, small = people.owners(lab.users)
    views = {
        "bare": ("/bare/", small),
        "10": (PROFILE, small),
        "1,000": (PROFILE, middle),
        "most": (PROFILE, big),
    }
    rounds: Rounds = {name: [] for name in views}
    for path, person in views.values():
        one_round(lab, path, person)  # warms up
    for _ in tqdm(range(ROUNDS), "profile", unit="round", leave=False):
        for name, (path, person) in views.items():
            rounds[name].append(one_round(lab, path, person))
    most = f"{people.owners(lab.users)[big]:,} against 10 referrals"
    queries = count_queries(lab, PROFILE, big)
    return [
        at_most("P1", "profile: queries", queries, 2),
        ratio(
            *("P1", "profile: CPU against a bare view", 1.5),
            *(rounds["10"], rounds["bare"], server_cpu),
        ),
        ratio(
            *("P2", f"profile: CPU, {most}", 1.2),
            *(rounds["most"], rounds["10"], cpu),
        ),
        ratio(
            *("P2", f"profile: median latency, {most}", 1.2),
            *(rounds["most"], rounds["10"], p50),
        ),
        *(costs(name, rounds[name]) for name in views),
    ]


def one_round(lab: Lab, path: str, person: int) -> Round:
    load, cost = measured(
        lab,
        partial(
            wrk.run,
            lab.base_url + path,
            connections=CONNECTIONS,
            seconds=SECONDS,
            headers=lab.headers(person),
        ),
    )
    if load.failures:
        raise RuntimeError(f"{path}: {load.failures} failures {load.refusal}")
    return Round(cost, load.p50)


def count_queries(lab: Lab, path: str, person: int) -> int:
    headers = {**lab.headers(person), COUNT_QUERIES: "yes"}
    answer = requests.get(lab.base_url + path, headers=headers, timeout=30)
    answer.raise_for_status()
    return int(answer.headers[QUERIES])


def server_cpu(one: Round) -> float:
    return one.cost.server


def cpu(one: Round) -> float:
    return one.cost.total


def p50(one: Round) -> float:
    return one.p50


def ratio(
    bar: str,
    what: str,
    most: float,
    these: list[Round],
    others: list[Round],
    part: Part,
) -> Figure:
    """The median of the ratios, and their range."""
    pairs = zip(these, others, strict=True)
    ratios = [part(this) / part(other) for this, other in pairs]
    seen = median(ratios)
    text = f"{seen:.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
    return Figure(bar, what, f"≤ {most:g}", text, seen <= most, seen)


def costs(name: str, rounds: list[Round]) -> Figure:
    server = median(one.cost.server for one in rounds)
    database = median(one.cost.database for one in rounds)
    what = "bare view" if name == "bare" else f"profile of {name} referrals"
    return Figure("P2", f"{what}: CPU", "", str(Cost(server, database)))
