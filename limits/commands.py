"""Runs the commands of `limits.command_types`: all of a list, or none.

On one Redis and in memory, all commands of a list are one atomic step. In a Redis
Cluster, those whose keys are stored together (`slots`) are one. Its steps run one after
the other, in the order of their first commands. When a step refuses, the steps before
it are refunded. So a count may be too high for a moment, but never too low: no limit
lets more through. If the process dies between two steps, what it has counted stays
until its period ends.

In Redis each step is a script (`commands.lua`) and one round trip. Without Redis it is
calls of the commands' methods, under a lock.

In one list, at most one command may change the same key.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from django.conf import settings
from django.core.cache import cache

from config.server.redis_pool import REDIS_FAILS
from limits.command_types import AttemptLimit, Command, CommandRefused
from limits.slots import tag_of


def run(commands: Sequence[Command]) -> list[int]:
    """Run all commands or none, and return the result of each.

    Raises CommandRefused for the first that refuses, in the order of the steps.
    """
    results: dict[int, int] = {}
    made: dict[str, int] = {}
    granted: list[Command] = []
    for places in _steps(commands):
        step = [commands[place] for place in places]
        try:
            answers = _run_step("run", step, made)
        except CommandRefused:
            refund(granted)
            raise
        except Exception:
            with suppress(*REDIS_FAILS):  # the first failure says more
                refund(granted)
            raise
        granted += step
        results |= zip(places, answers, strict=True)
        for command, answer in zip(step, answers, strict=True):
            if type(command) is AttemptLimit:
                made[command.key] = answer - command.amount
    return [results[place] for place in range(len(commands))]


def check(commands: Sequence[Command]) -> None:
    """Raises CommandRefused for the first that refuses. Changes nothing.

    The key of each `unless` must belong to the same step as its command.
    """
    for places in _steps(commands):
        _run_step("check", [commands[place] for place in places], {})


def refund(commands: Sequence[Command]) -> None:
    """Undo commands that were run. A key that has expired since stays as it is."""
    charged = [command.alone() for command in commands if command.charges]
    for places in _steps(charged):
        _call("refund", [charged[place] for place in places])


def _steps(commands: Sequence[Command]) -> list[list[int]]:
    """The places of the commands, those together whose keys are stored together."""
    steps: dict[str, list[int]] = {}
    for place, command in enumerate(commands):
        steps.setdefault(tag_of(command.key), []).append(place)
    return list(steps.values())


def _run_step(
    action: Literal["run", "check"],
    commands: Sequence[Command],
    made: Mapping[str, int],
) -> list[int]:
    run = [c.after(made) if isinstance(c, AttemptLimit) else c for c in commands]
    refused, answer = _call(action, run)
    if refused:
        place, wait = answer
        raise CommandRefused(commands[place], wait)
    return answer


def end(key: str) -> bool:
    """Delete the key. Of several callers at once, one is told True."""
    if not settings.REDIS_URL and cache.get(key) is None:
        return False  # local memory would say that it deleted an expired key
    return bool(cache.delete(key))


_lock = threading.Lock()


Action = Literal["run", "check", "refund"]


def _call(action: Action, commands: Sequence[Command]) -> tuple[bool, list[int]]:
    """Whether one refused; its place and wait, or the results."""
    return (_in_redis if settings.REDIS_URL else _in_memory)(action, commands)


def _in_memory(action: Action, commands: Sequence[Command]) -> tuple[bool, list[int]]:
    with _lock:
        if action == "refund":
            for command in commands:
                command.refund()
            return False, []
        for place, command in enumerate(commands):
            if command.refuses():
                return True, [place, command.wait()]
        return False, [command.run() for command in commands if action == "run"]


_SCRIPT = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")


def _in_redis(action: Action, commands: Sequence[Command]) -> tuple[bool, list[int]]:
    make_key = cache.make_key
    keys = [str(make_key(key)) for command in commands for key in command.keys]
    facts = [
        {"name": type(c).__name__, "keys": len(c.keys), **c.arguments} for c in commands
    ]
    redis = cache.client.get_client(write=True)  # type: ignore[attr-defined]  # django-redis's
    refused, answer = redis.register_script(_SCRIPT)(keys, [action, json.dumps(facts)])
    return bool(refused), answer
