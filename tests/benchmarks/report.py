"""The table of results, with the machine and the versions."""

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import psutil

from tests.benchmarks.lab import Figure, cpu_seconds
from tests.lab import servers

PACKAGES = ["Django", "djangorestframework", "psycopg2-binary", "redis", "gunicorn"]
VERDICTS = {True: "met", False: "**missed**", None: ""}


def table(figures: Sequence[Figure]) -> str:
    head = ("", "what", "target", "seen", "")
    rows = [head] + [
        (f.bar, f.what, f.wanted, f.seen, VERDICTS[f.met])
        for f in sorted(figures, key=lambda figure: figure.bar)
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def together(runs: Sequence[Sequence[Figure]]) -> list[Figure]:
    """One figure of each kind: that of the median run, then those of the others."""
    alike: dict[tuple[str, str], list[Figure]] = {}
    for figure in chain.from_iterable(runs):
        alike.setdefault((figure.bar, figure.what), []).append(figure)
    return [_middle(figures) for figures in alike.values()]


def _middle(figures: list[Figure]) -> Figure:
    first, *more = figures
    if not more:
        return first
    if first.value is None:
        verdicts = [figure.met for figure in figures]
        met = None if None in verdicts else all(verdicts)
        return replace(first, seen=" · ".join(f.seen for f in figures), met=met)
    others = sorted(figures, key=lambda figure: figure.value or 0)
    # If the target is 0 (failures), the worst run counts.
    middle = others.pop(-1 if first.wanted == "≤ 0" else len(others) // 2)
    seen = ", ".join(figure.seen for figure in others)
    return replace(middle, seen=f"**{middle.seen}**; {seen}")


def document(figures: Sequence[Figure], users: int, command: str, others: float) -> str:
    """The whole report, with what is needed to repeat the run."""
    now = datetime.now(UTC)
    return (
        "# Results\n\n"
        f"Measured on {now:%Y-%m-%d %H:%M} UTC. README.md explains how.\n\n"
        f"- {users:,} users; `{command}`\n"
        f"- commit {commit()}\n"
        f"- {machine()}; other programs used {others:.0%} of the CPU\n"
        f"- {versions()}\n\n"
        f"{table(figures)}\n"
    )


def commit() -> str:
    said = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    return output(*said)


def machine() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = psutil.virtual_memory().total / 2**30
    cpu = found[1] if found else platform.machine()
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB"


class Others:
    """Measures the share of CPU that other programs use, from now on."""

    def __init__(self) -> None:
        self._start = self._now()

    @property
    def share(self) -> float:
        whole, idle, ours = (
            now - start for now, start in zip(self._now(), self._start, strict=True)
        )
        return max(whole - idle - ours, 0) / whole

    @staticmethod
    def _now() -> tuple[float, float, float]:
        times = psutil.cpu_times()
        return sum(times), times.idle + times.iowait, cpu_seconds(psutil.Process())


def versions() -> str:
    postgres = output(servers.postgres_tool("postgres"), "--version").split()[2]
    redis = re.search(r"v=(\S+)", output("redis-server", "--version"))
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"Python {platform.python_version()}, {packages}, PostgreSQL {postgres}, "
        f"Redis {redis[1] if redis else '?'}"
    )


def output(*command: str) -> str:
    done = subprocess.run(
        command, cwd=servers.ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
