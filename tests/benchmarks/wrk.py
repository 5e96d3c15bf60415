"""Runs the load generator wrk and parses its result."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.lab.servers import ROOT

TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Load:
    """The result of one run of wrk. Times are in milliseconds."""

    requests: int
    seconds: float
    status_errors: int
    socket_errors: int
    steady: int  # answers after the ramp-up, if the script counts them
    p50: float
    p90: float
    p99: float
    longest: float
    refusal: str  # one of the error answers

    @property
    def failures(self) -> int:
        """No answers at all count as one failure."""
        return self.status_errors + self.socket_errors + (not self.requests)

    @property
    def rate(self) -> float:
        """Successful answers per second."""
        return (self.requests - self.status_errors) / self.seconds


def parse(output: str) -> Load:
    load = Load(**json.loads(output.strip().splitlines()[-1]))
    if load.requests:
        return load
    never = float("inf")
    return replace(load, p50=never, p90=never, p99=never, longest=never)


@dataclass(frozen=True, slots=True)
class Script:
    name: str
    arguments: tuple[Any, ...] = ()


GET = Script("get")


def run(
    url: str,
    *,
    connections: int,
    seconds: int,
    script: Script = GET,
    headers: Mapping[str, str] | None = None,
) -> Load:
    wrk = shutil.which("wrk") or sys.exit("wrk is not installed (Debian: wrk).")
    command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s"]
    command += [
        f"--timeout={TIMEOUT_SECONDS}s",
        "-s",
        f"tests/benchmarks/wrk/{script.name}.lua",
    ]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    command += [url, "--", *map(str, script.arguments)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"wrk failed:\n{done.stdout}{done.stderr}")
    return parse(done.stdout)
