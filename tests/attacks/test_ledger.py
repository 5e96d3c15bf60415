"""Rewards that are kept from the ledger while every process is killed twice."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.attacker import Target, new_address
from tests.attacks.conftest import Report
from tests.attacks.plant import Plant
from tests.lab import servers
from tests.lab.shared import at_once

INVITEES, INVITERS = 1000, 40
CORRECTIONS, REVERTS, DELETIONS = 50, 20, 30
SECRET = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
# After how many activations which process is killed.
KILLS = {200: "web", 300: "receiver", 400: "worker"}
KILLS |= {500: "web", 600: "receiver", 700: "worker"}

CAST = f"""
import django, json
django.setup()
from django.db import transaction
from users.devices.token_authentication import issue_token
from users.models import User
cast = []
for n in range({INVITEES + INVITERS}):
    user = User.objects.create_user(f"+7998{{n:07}}")
    token = issue_token(user=user, user_agent="")[1]
    cast.append((user.pk, user.invite_code, token))
print(json.dumps(cast))
"""
CORRECT = """
import django, json, sys
django.setup()
from referrals.support.corrections import *
from users.models import User
staff = User.objects.get(is_superuser=True)
changes, reverts = json.load(sys.stdin)
made = [
    correct_inviter(
        invitee=User.objects.get(pk=invitee),
        inviter=inviter and User.objects.get(pk=inviter),
        seen=standing(invitee).seen, reason="x", by=staff,
    )
    for invitee, inviter in changes
]
for correction in made[:reverts]:
    revert_correction(correction, reason="x", by=staff)
"""


class Payer:
    """The receiver of docs/webhooks.md, word for word, with its own store."""

    def __init__(self, folder: Path) -> None:
        text = (servers.ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
        (self.code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        folder.mkdir()
        self.folder, self.port = folder, servers.free_port()

    @contextmanager
    def running(self, **env: str) -> Iterator[servers.Service]:
        env = {"PORT": str(self.port), "WEBHOOK_SECRET": SECRET, **env}
        log = self.folder / "log"
        program = f"import os; os.chdir({str(self.folder)!r})\n{self.code}"
        with servers.spawn([sys.executable, "-c", program], log, env=env) as process:
            servers.wait_for_port(self.port)
            yield servers.Service(env, process, log)

    @property
    def balance(self) -> dict[int, int]:
        with closing(sqlite3.connect(self.folder / "events.sqlite3")) as store:
            return dict(store.execute("SELECT id, rewards FROM balance"))


class Processes:
    def __init__(self, plant: Plant, payer: Payer) -> None:
        self.plant, self.payer = plant, payer
        self.env = servers.prepare(
            {
                **plant.settings,
                "DEBUG": "on",  # the receiver has no TLS
                "WEBHOOK_URL": f"http://127.0.0.1:{payer.port}/",
                "WEBHOOK_SECRET": SECRET,
            }
        )
        self.running: dict[str, servers.Service] = {}
        self.killing = threading.Lock()  # one at a time, until it has started again
        for name in ("web", "receiver", "worker"):
            self.start(name)

    def start(self, name: str) -> None:
        start = {
            "web": lambda: servers.serve(self.plant.folder, self.env),
            "receiver": self.payer.running,
            "worker": self._worker,
        }
        service = self.plant.running.enter_context(start[name]())
        self.running[name] = service

    def kill(self, name: str) -> None:
        """With its children, and start it again."""
        with self.killing:
            self._kill(name)

    def _kill(self, name: str) -> None:
        process = self.running[name].process
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if name == "web":  # its children hold the port until they are gone, too
            time.sleep(1)
        if name == "worker":  # do not wait a minute for the claims of the dead
            self.plant.rows(
                "UPDATE webhooks_event SET claimed_until = NULL; COMMIT; SELECT 1"
            )
        self.start(name)

    @contextmanager
    def _worker(self) -> Iterator[servers.Service]:
        log = self.plant.folder / "worker.log"
        command = [sys.executable, "manage.py", "deliver_webhooks"]
        with servers.spawn(command, log, env=self.env) as process:
            yield servers.Service({}, process, log)

    def run(self, script: str, said: Any = None) -> str:
        return subprocess.run(
            [sys.executable, "-c", script],
            input=json.dumps(said),
            cwd=servers.ROOT,
            env={**os.environ, **self.env},
            capture_output=True,
            check=True,
            text=True,
        ).stdout


@pytest.fixture
def processes(plant: Plant) -> Processes:
    return Processes(plant, Payer(plant.folder / "payer"))


def insist(target: Target, method: str, token: str, body: Any = None) -> int:
    """Ask until there is an answer, as an app does when the server is away."""
    deadline = time.monotonic() + 30
    headers = {"Authorization": f"Token {token}"}
    while time.monotonic() < deadline:
        address = new_address()
        answer = target.request(
            method, "/api/profile/", body, headers=headers, address=address
        )
        if 0 < answer.status < 500:
            return answer.status
        time.sleep(0.1)
    raise TimeoutError


def test_t23_rewards_survive_the_death_of_every_process(
    processes: Processes, report: Report
) -> None:
    start, plant = time.monotonic(), processes.plant
    staff_token = servers.staff_token(processes.env)
    cast = json.loads(processes.run(CAST))
    inviters, invitees = cast[:INVITERS], cast[INVITERS:]
    target = Target(processes.running["web"].env["BASE_URL"])
    truth: dict[int, int | None] = {}  # who counts as the inviter of whom
    lock, killers = threading.Lock(), []

    def activate(n: int) -> None:
        invitee, inviter = invitees[n], inviters[n % INVITERS]
        body = {"invite_code": inviter[1]}
        assert insist(target, "POST", invitee[2], body) == 200
        with lock:
            truth[invitee[0]] = inviter[0]
            if name := KILLS.get(len(truth)):
                killers.append(threading.Thread(target=processes.kill, args=[name]))
                killers[-1].start()

    at_once(INVITEES, activate, threads=8)
    for killer in killers:
        killer.join()
    assert len(killers) == len(KILLS)

    changes = [
        (invitees[n][0], inviters[(n + 1) % INVITERS][0] if n % 3 else None)
        for n in range(CORRECTIONS)
    ]
    processes.run(CORRECT, [changes, REVERTS])
    truth |= dict(changes[REVERTS:])
    # Accounts of both sides, with and without corrections. They take nothing back.
    for _, _, token in [*invitees[10:35], *inviters[:5]]:
        assert insist(target, "DELETE", token) in {204, 401}

    def waiting() -> int:
        query = "SELECT count(*) FROM webhooks_event WHERE delivered_at IS NULL"
        number: int = plant.rows(query)[0][0]
        return number

    deadline = time.monotonic() + 60
    while waiting() and time.monotonic() < deadline:
        time.sleep(0.2)
    told = Counter(
        dict(plant.rows("SELECT type, count(*) FROM webhooks_event GROUP BY 1"))
    )
    expected = Counter(inviter for inviter in truth.values() if inviter)
    expected += Counter(invitee for invitee, inviter in truth.items() if inviter)
    received = processes.payer.balance

    with ExitStack() as second:  # knows the feed only
        late = Payer(plant.folder / "late")
        env = {"BASE": target.base_url, "STAFF_TOKEN": staff_token}
        second.enter_context(late.running(**env))
        from_feed = late.balance
    target.close()
    report(
        "T23",
        f"{told.total()} events with SIGKILL of web, receiver, worker, twice each",
        f"{sum(received.values())} rewards, {sum(expected.values())} expected,"
        f" {sum(from_feed.values())} by the feed, {time.monotonic() - start:.0f} s",
    )
    assert waiting() == 0
    assert told["referral.activated"] == INVITEES
    assert told["referral.corrected"] == CORRECTIONS
    assert told["referral.reverted"] == REVERTS
    assert told["user.deleted"] == DELETIONS
    assert received == expected
    assert from_feed == expected
