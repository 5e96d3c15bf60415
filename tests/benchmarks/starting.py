"""P7: seconds until a server is ready, and seconds of the test suite."""

import subprocess
import sys
import time
from math import inf
from statistics import median

from tests.benchmarks.lab import Figure, Lab, at_most
from tests.lab import servers

STARTS = 3


def measure(lab: Lab) -> list[Figure]:
    ready = median(start_seconds(lab) for _ in range(STARTS))
    start = time.monotonic()
    suite = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2"],
        cwd=servers.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = inf if suite.returncode else time.monotonic() - start
    said = suite.stdout.strip().splitlines()[-1].strip("= ")
    return [
        at_most("P7", "server: from start to ready", ready, 3, " s"),
        at_most("P7", "test suite", seconds, 60, " s"),
        Figure("P7", "test suite, last line", "", said),
    ]


def start_seconds(lab: Lab) -> float:
    env = {**lab.env, "PORT": str(servers.free_port())}
    start = time.monotonic()
    with servers.serve(lab.folder, env):
        return time.monotonic() - start
