"""P1 and P2: cost of the profile, compared with a fresh project and with longer lists.

The views take turns in each round, so other load on the machine affects all of them.
"""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import NamedTuple

import psutil
import requests
from tqdm import tqdm

from tests.benchmarks import beside, people, wrk
from tests.benchmarks.lab import Cost, Figure, Lab, at_most, measured
from tests.benchmarks.middleware import COUNT_QUERIES, QUERIES

ROUNDS = 7
SECONDS = 3
CONNECTIONS = 8
PROFILE = "/api/profile/"


class View(NamedTuple):
    url: str
    headers: dict[str, str]
    server: psutil.Process
    title: str


class Round(NamedTuple):
    cost: Cost
    p50: float


Rounds = dict[str, list[Round]]
Part = Callable[[Round], float]


def measure(lab: Lab) -> list[Figure]:
    folders = [beside.FRESH, *([lab.beside] if lab.beside else [])]
    url = lab.env["DATABASE_URL"]
    with ExitStack() as running:
        projects = [
            running.enter_context(beside.serve(folder, url)) for folder in folders
        ]
        return compare(lab, projects)


def compare(lab: Lab, projects: list[beside.Project]) -> list[Figure]:
    views = views_of(lab, projects)
    rounds: Rounds = {name: [] for name in views}
    for view in views.values():
        one_round(lab, view)  # warms up
    for _ in tqdm(range(ROUNDS), "profile", unit="round", leave=False):
        for name, view in views.items():
            rounds[name].append(one_round(lab, view))
    owners = people.owners(lab.users)
    most = f"{max(owners.values()):,} against 10 referrals"
    fresh, *others = (project.name for project in projects)
    return [
        at_most("P1", "profile: queries", count_queries(lab, PROFILE, max(owners)), 2),
        ratio(
            *("P1", "profile: CPU against the fresh view", 1.5),
            *(rounds["10"], rounds[fresh], server_cpu),
        ),
        ratio(
            *("P1", "bare view: CPU against the fresh view", 1.2),
            *(rounds["bare"], rounds[fresh], server_cpu),
        ),
        *(
            ratio(
                *("P1", f"{name}: CPU against the fresh view", None),
                *(rounds[name], rounds[fresh], server_cpu),
            )
            for name in others
        ),
        ratio(
            *("P2", f"profile: CPU, {most}", 1.1),
            *(rounds["most"], rounds["10"], cpu),
        ),
        ratio(
            *("P2", f"profile: median latency, {most}", 1.1),
            *(rounds["most"], rounds["10"], p50),
        ),
        *(costs(view.title, rounds[name]) for name, view in views.items()),
    ]


def views_of(lab: Lab, projects: list[beside.Project]) -> dict[str, View]:
    big, middle, small = people.owners(lab.users)

    def ours(path: str, person: int, title: str) -> View:
        return View(lab.base_url + path, lab.headers(person), lab.server, title)

    theirs = {
        project.name: View(
            project.base_url + project.path,
            {"Authorization": project.authorization},
            project.server,
            f"{project.name} view: CPU",
        )
        for project in projects
    }
    return {
        **theirs,
        "bare": ours("/bare/", small, "bare view: CPU"),
        "10": ours(PROFILE, small, "profile of 10 referrals: CPU"),
        "1,000": ours(PROFILE, middle, "profile of 1,000 referrals: CPU"),
        "most": ours(PROFILE, big, "profile of most referrals: CPU"),
    }


def one_round(lab: Lab, view: View) -> Round:
    load, cost = measured(
        lab,
        partial(
            wrk.run,
            view.url,
            connections=CONNECTIONS,
            seconds=SECONDS,
            headers=view.headers,
        ),
        view.server,
    )
    if load.failures:
        raise RuntimeError(f"{view.url}: {load.failures} failures {load.refusal}")
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
    most: float | None,
    these: list[Round],
    others: list[Round],
    part: Part,
) -> Figure:
    """The median of the ratios, and their range."""
    pairs = zip(these, others, strict=True)
    ratios = [part(this) / part(other) for this, other in pairs]
    seen = median(ratios)
    text = f"{seen:.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
    if most is None:
        return Figure(bar, what, "", text, value=seen)
    return Figure(bar, what, f"≤ {most:g}", text, seen <= most, seen)


def costs(what: str, rounds: list[Round]) -> Figure:
    server = median(one.cost.server for one in rounds)
    database = median(one.cost.database for one in rounds)
    return Figure("P2", what, "", str(Cost(server, database)))
