"""/metrics has the counts of all processes, whichever process answers."""

import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.e2e.conftest import Server

REQUESTS = 400


def count(base_url: str) -> float:
    token = os.environ["METRICS_TOKEN"]
    # Each request opens a new connection, so different processes answer.
    answer = requests.get(
        f"{base_url}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=10
    )
    answer.raise_for_status()
    series = (
        'referral_request_seconds_count{method="GET",route="healthz",status="200"} '
    )
    found = re.search(rf"^{re.escape(series)}(.+)$", answer.text, re.MULTILINE)
    return float(found[1]) if found else 0


@pytest.mark.skipif("METRICS_TOKEN" not in os.environ, reason="needs METRICS_TOKEN")
def test_counts_include_all_processes(server: Server) -> None:
    base_url = server.base_url
    before = count(base_url)

    def ask(i: int) -> int:
        return requests.get(f"{base_url}/healthz", timeout=10).status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(REQUESTS))) == {200}
    assert {count(base_url) - before for _ in range(20)} == {REQUESTS}
