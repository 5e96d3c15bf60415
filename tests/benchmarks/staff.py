"""P6: the admin site, as support staff use it."""

import re
import time
from dataclasses import dataclass
from statistics import median

import requests

from tests.benchmarks import people
from tests.benchmarks.lab import Figure, Lab, at_most
from tests.benchmarks.middleware import COUNT_QUERIES, QUERIES

TIMES = 5


def pages(users: int) -> dict[str, str]:
    """Pages to measure, by their names in the report."""
    some = users // 2
    number, code = people.phone_number(some), people.invite_code(some)
    return {
        "people": "/admin/users/user/",
        "people, page 100": "/admin/users/user/?p=100",
        "people, inactive": "/admin/users/user/?is_active__exact=0",
        "people, most invited first": "/admin/users/user/?o=-4",
        "search: number": f"/admin/users/user/?q=%2B{number[1:]}",
        "search: digits": f"/admin/users/user/?q={number[-6:]}",
        "search: invite code": f"/admin/users/user/?q={code}",
        "search: name": "/admin/users/user/?q=Galina",
        "change: invited 10": "/admin/users/user/3/change/",
        "change: invited most": "/admin/users/user/1/change/",
        "delete: invited 10": "/admin/users/user/3/delete/",
        "delete: invited most": "/admin/users/user/1/delete/",
        "referrals": "/admin/referrals/referral/",
        "referrals, page 20": "/admin/referrals/referral/?p=20",
        "referrals: number": f"/admin/referrals/referral/?q=%2B{number[1:]}",
        "referrals: code": f"/admin/referrals/referral/?q={people.invite_code(1)}",
        "referral": f"/admin/referrals/referral/{users // 2}/change/",
    }


# Pairs of pages that must run equally many queries, although one shows more rows.
ALIKE = [
    ("people", "search: number"),
    ("change: invited 10", "change: invited most"),
    ("delete: invited 10", "delete: invited most"),
    ("referrals", "referrals, page 20"),
    ("referrals: number", "referrals: code"),
]


@dataclass(frozen=True, slots=True)
class Opened:
    milliseconds: float
    queries: int


def measure(lab: Lab) -> list[Figure]:
    browser = sign_in(lab)
    opened = {
        name: open_page(lab, browser, path) for name, path in pages(lab.users).items()
    }
    figures = [
        at_most(
            "P6",
            f"admin, {name} ({page.queries} queries)",
            page.milliseconds,
            300,
            " ms",
        )
        for name, page in opened.items()
    ]
    pairs = [(opened[a].queries, opened[b].queries) for a, b in ALIKE]
    text = ", ".join(f"{few}/{many}" for few, many in pairs)
    same = all(a == b for a, b in pairs)
    return [*figures, Figure("P6", "queries, few rows/many", "equal", text, same)]


def sign_in(lab: Lab) -> requests.Session:
    browser = requests.Session()
    url = f"{lab.base_url}/admin/login/?next=/admin/"
    page = browser.get(url, timeout=30).text
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found, page
    form = {"csrfmiddlewaretoken": found[1], "username": people.STAFF_PHONE_NUMBER}
    answer = browser.post(url, {**form, "password": people.STAFF_PASSWORD}, timeout=30)
    assert "logout" in answer.text, answer.status_code
    return browser


def open_page(lab: Lab, browser: requests.Session, path: str) -> Opened:
    took, queries = [], 0
    for _ in range(TIMES):
        start = time.perf_counter()
        answer = browser.get(
            lab.base_url + path, headers={COUNT_QUERIES: "yes"}, timeout=60
        )
        took.append((time.perf_counter() - start) * 1000)
        if answer.status_code != 200:
            return Opened(float("inf"), 0)
        queries = int(answer.headers[QUERIES])
    return Opened(median(took), queries)
