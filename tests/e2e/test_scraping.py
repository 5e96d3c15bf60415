"""Prometheus itself scrapes /metrics."""

import os
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.e2e.conftest import Server
from tests.lab.servers import free_port

PROGRAM = shutil.which("prometheus")
LONGEST_SECONDS = 60
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: referral
    authorization: {{credentials: {token}}}
    static_configs: [{{targets: ["{target}"]}}]
"""


@pytest.mark.skipif(not PROGRAM, reason="needs Debian's package prometheus")
@pytest.mark.skipif("METRICS_TOKEN" not in os.environ, reason="needs METRICS_TOKEN")
def test_prometheus_scrapes_the_metrics(server: Server, tmp_path: Path) -> None:
    config, port = tmp_path / "prometheus.yml", free_port()
    target = urlsplit(server.base_url).netloc
    config.write_text(CONFIG.format(token=os.environ["METRICS_TOKEN"], target=target))
    command = [
        str(PROGRAM),
        f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (tmp_path / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)
    try:
        server.get("/healthz")
        assert scraped(port, "up") == "1", (tmp_path / "prometheus.log").read_text()
        series = 'sum(referral_request_seconds_count{route="healthz"})'
        assert float(scraped(port, series)) >= 1
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def scraped(port: int, query: str) -> str:
    """The value, once Prometheus has one; otherwise an empty text."""
    url, value = f"http://127.0.0.1:{port}/api/v1/query", ""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline and value in {"", "0"}:
        with suppress(requests.RequestException):  # it is still starting
            answer: dict[str, Any] = requests.get(
                url, params={"query": query}, timeout=5
            ).json()
            for found in answer.get("data", {}).get("result", []):
                value = found["value"][1]
        time.sleep(0.2)
    return value
