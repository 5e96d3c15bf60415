"""Processes that die: the receiver of the docs and real workers."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import LazySettings, settings
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from tests.lab.servers import free_port
from webhooks import services
from webhooks.models import Event
from webhooks.services import record_event
from webhooks.tests.conftest import SECRET, Receiver

ROOT = Path(settings.BASE_DIR)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def events(number: int) -> set[str]:
    with transaction.atomic():
        for n in range(number):
            record_event(type="user.created", data={"n": n})
    return {str(pk) for pk in Event.objects.values_list("pk", flat=True)}


def until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class DocumentedReceiver:
    """The example of docs/webhooks.md, word for word."""

    def __init__(self, folder: Path, port: int) -> None:
        text = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
        (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        self.url = f"http://127.0.0.1:{port}/"
        self.folder = folder
        self._command = [sys.executable, "-c", code]
        self._env = {"PORT": str(port), "WEBHOOK_SECRET": SECRET}

    @contextmanager
    def running(self) -> Iterator[None]:
        process = subprocess.Popen(
            self._command,
            cwd=self.folder,
            env=self._env,
            stderr=subprocess.DEVNULL,
        )
        try:
            until(self._answers)
            yield
        finally:
            process.kill()
            process.wait()

    def _answers(self) -> bool:
        with suppress(requests.ConnectionError):
            return bool(requests.get(self.url, timeout=5).status_code)
        return False

    @property
    def received(self) -> list[tuple[str, dict[str, Any]]]:
        with sqlite3.connect(self.folder / "events.sqlite3") as store:
            rows = store.execute("SELECT id, body FROM event").fetchall()
        store.close()
        return [(id_, json.loads(body)) for id_, body in rows]


@pytest.fixture
def documented(tmp_path: Path, settings: LazySettings) -> DocumentedReceiver:
    receiver = DocumentedReceiver(tmp_path, free_port())
    settings.WEBHOOK_URL = receiver.url
    settings.WEBHOOK_SECRETS = [SECRET]
    return receiver


def test_the_documented_receiver_dies_and_gets_everything(
    documented: DocumentedReceiver,
) -> None:
    sent = events(20)
    with documented.running():
        call_command("deliver_webhooks", "--once")
    sent = events(20)
    call_command("deliver_webhooks", "--once")  # nobody is there
    assert len(documented.received) == 20
    services.retry(Event.objects.waiting())  # the wait is over
    with documented.running():
        call_command("deliver_webhooks", "--once")
        # What is delivered twice is received once.
        Event.objects.update(delivered_at=None, due_at=timezone.now())
        call_command("deliver_webhooks", "--once")
    assert {id_ for id_, _ in documented.received} == sent
    assert len(documented.received) == 40


def test_the_documented_receiver_accepts_nothing_forged(
    documented: DocumentedReceiver,
) -> None:
    now = str(int(time.time()))
    guess = b64encode(bytes(32)).decode()
    signed = {"webhook-id": "evil", "webhook-timestamp": now}
    with documented.running():
        for headers in (
            {},
            signed,
            {**signed, "webhook-signature": f"v1,{guess}"},
            {**signed, "webhook-signature": "v1,ü".encode().decode("latin-1")},
            {**signed, "webhook-signature": "v1"},
            {**signed, "webhook-signature": f"v1a,{guess}"},
            {**signed, "webhook-timestamp": "soon", "webhook-signature": guess},
        ):
            answer = requests.post(
                documented.url, data="{}", headers=headers, timeout=5
            )
            assert answer.status_code == 401
    assert documented.received == []


@contextmanager
def worker(receiver: Receiver) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py deliver_webhooks` on the database of this test."""
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        place = f"{database['HOST']}:{database['PORT']}"
        url = f"postgresql://{database['USER']}@{place}/{database['NAME']}"
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": url,
        "WEBHOOK_URL": receiver.url,
        "WEBHOOK_SECRET": SECRET,
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "deliver_webhooks"], cwd=ROOT, env=env
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_worker_killed_while_it_sends_loses_nothing(receiver: Receiver) -> None:
    receiver.open.clear()
    sent = events(3)
    with worker(receiver) as killed:
        until(lambda: len(receiver.requests) == 3)
        killed.kill()
        killed.wait()
    receiver.open.set()
    assert Event.objects.waiting().count() == 3
    assert services.claim(10) == []  # not before the claim of the dead is over
    Event.objects.update(claimed_until=timezone.now())
    receiver.requests.clear()
    with worker(receiver):
        until(lambda: not Event.objects.waiting().exists())
    assert {headers["webhook-id"] for headers, _ in receiver.requests} == sent


def test_a_worker_told_to_stop_finishes_what_it_sends(receiver: Receiver) -> None:
    receiver.open.clear()
    events(3)
    with worker(receiver) as stopping:
        until(lambda: len(receiver.requests) == 3)
        stopping.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        assert stopping.poll() is None
        receiver.open.set()
        assert stopping.wait(timeout=20) == 0
    assert not Event.objects.waiting().exists()


def test_two_workers_send_each_event_once(receiver: Receiver) -> None:
    sent = events(60)
    with worker(receiver), worker(receiver):
        until(lambda: not Event.objects.waiting().exists())
    ids = [headers["webhook-id"] for headers, _ in receiver.requests]
    assert sorted(ids) == sorted(sent)
