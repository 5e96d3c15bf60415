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
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import LazySettings, settings
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from standardwebhooks import Webhook

from conftest import ALICE, BORIS, CLARA
from referrals.ledger import person_key
from referrals.services import activate_invite_code
from tests.lab.servers import free_port
from users.models import User
from users.phone_change.services import move_account
from users.phones import PhoneNumber
from users.profile.services import delete_account
from webhooks import services
from webhooks.messages import message
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

    def post(self, id_: str, event: dict[str, Any]) -> int | None:
        """The status of the answer, or None if there was none."""
        body, now = json.dumps(event), timezone.now()
        headers = {
            "webhook-id": id_,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(SECRET).sign(id_, now, body),
        }
        try:
            answer = requests.post(self.url, data=body, headers=headers, timeout=20)
        except requests.ConnectionError:
            return None
        return answer.status_code

    @property
    def rewards(self) -> dict[int, int]:
        with closing(sqlite3.connect(self.folder / "events.sqlite3")) as store:
            return dict(store.execute("SELECT id, rewards FROM balance"))

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


@pytest.mark.parametrize("order", [1, -1])
def test_the_documented_receiver_pays_once_in_any_order(
    documented: DocumentedReceiver, order: int
) -> None:
    """Boris comes back with his number; Clara moves to another; Alice leaves."""
    alice, clara = map(User.objects.create_user, (ALICE, CLARA))
    boris = User.objects.create_user(BORIS)
    first = boris.pk
    activate_invite_code(invitee=boris, code=alice.invite_code, address="192.0.2.1")
    delete_account(boris)
    boris = User.objects.create_user(BORIS)
    activate_invite_code(invitee=boris, code=clara.invite_code, address="192.0.2.1")
    activate_invite_code(invitee=clara, code=alice.invite_code, address="192.0.2.1")
    move_account(clara, PhoneNumber("+79990000004"))
    expected = {
        (alice.pk, person_key(ALICE), 2),
        (first, person_key(BORIS), 1),
        (clara.pk, person_key("+79990000004"), 1),
    }
    delete_account(alice)
    with transaction.atomic():  # as the version without a ledger wrote it
        old = {"invitee_id": 99, "invitee_key": "x", "inviter_id": 98}
        record_event(type="referral.activated", data={**old, "invite_code": "AAAAAA"})
    events = Event.objects.order_by("created_at")[::1][::order]
    with documented.running():
        for event in [*events, *events]:
            sent = message(event)
            answer = requests.post(
                documented.url, data=sent.body, headers=sent.headers, timeout=5
            )
            assert answer.status_code == 204
    with closing(sqlite3.connect(documented.folder / "events.sqlite3")) as store:
        rows = store.execute("SELECT id, key, rewards FROM balance").fetchall()
    assert set(rows) == expected


def changed_number(user: int, before: str, after: str, *, at: str) -> dict[str, Any]:
    return {
        "type": "user.phone_changed",
        "timestamp": f"2026-11-21T12:00:{at}+00:00",
        "data": {"user_id": user, "user_key": after, "user_key_before": before},
    }


def activated(invitee: int, key: str, *, at: str, by: int = 9) -> dict[str, Any]:
    referral = {"invitee_id": invitee, "invitee_key": key}
    inviter = {"inviter_id": by, "inviter_key": f"P{by}", "invite_code": "AAAAAA"}
    before = dict.fromkeys(f"{name}_before" for name in inviter)
    return {
        "type": "referral.activated",
        "timestamp": f"2026-11-21T12:00:{at}+00:00",
        "data": {**referral, **inviter, **before},
    }


def corrected(
    invitee: int, key: str, *, at: str, before: int, after: int
) -> dict[str, Any]:
    event = activated(invitee, key, at=at, by=after)
    event["type"] = "referral.corrected"
    event["data"] |= {"inviter_id_before": before, "invite_code_before": "BBBBBB"}
    return event


def test_the_documented_receiver_goes_on_after_a_locked_database(
    documented: DocumentedReceiver,
) -> None:
    event = activated(1, "P1", at="01")
    with documented.running():
        with closing(sqlite3.connect(documented.folder / "events.sqlite3")) as other:
            other.execute("BEGIN IMMEDIATE")
            assert documented.post("a", event) is None  # after five seconds
        assert [documented.post(id_, event) for id_ in "ab"] == [204, 204]
    assert {id_ for id_, _ in documented.received} == {"a", "b"}


def test_the_documented_receiver_stores_all_of_an_event_or_nothing(
    documented: DocumentedReceiver,
) -> None:
    event = activated(1, "P1", at="01")
    broken = {**event, "data": {**event["data"]}}
    del broken["data"]["inviter_id_before"], broken["data"]["inviter_id"]
    with documented.running():
        assert documented.post("a", broken) is None
        assert documented.received == []
        assert documented.post("a", event) == 204
    assert documented.rewards == {1: 1, 9: 1}


CARRIER_GIVES_A_NUMBER_TO_SOMEBODY_ELSE = [
    activated(2, "P2", at="01"),
    activated(5, "P5", at="02"),
    changed_number(5, "P5", "P6", at="03"),
    changed_number(2, "P2", "P5", at="04"),
    corrected(2, "P5", at="05", before=9, after=8),
]
# Among the accounts with a key, not the one with the lowest id activated first.
NUMBER_COMES_BACK = [
    changed_number(1, "P1", "P2", at="01"),
    activated(3, "P1", at="02"),
    changed_number(3, "P1", "P3", at="03"),
    changed_number(1, "P2", "P1", at="04"),
    activated(1, "P1", at="05.000001"),
]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("events", "rewards"),
    [
        (CARRIER_GIVES_A_NUMBER_TO_SOMEBODY_ELSE, {2: 1, 5: 1, 8: 1, 9: 1}),
        (NUMBER_COMES_BACK, {3: 1, 9: 1}),
    ],
    ids=["somebody else has the number", "the number comes back"],
)
def test_the_documented_receiver_pays_by_the_key_of_the_first_credit(
    documented: DocumentedReceiver,
    events: list[dict[str, Any]],
    rewards: dict[int, int],
    order: int,
) -> None:
    with documented.running():
        for n, event in list(enumerate(events))[::order]:
            assert documented.post(str(n), event) == 204
    assert documented.rewards == rewards


def test_the_documented_receiver_needs_no_event_that_the_ledger_lacks(
    documented: DocumentedReceiver,
) -> None:
    created = {
        "type": "user.created",
        "timestamp": "2026-11-21T12:00:00+00:00",
        "data": {"user_id": 1, "user_key": "P1"},
    }
    ledger = [
        changed_number(1, "P1", "P2", at="01"),
        activated(1, "P2", at="02"),
        activated(2, "P1", at="03"),
    ]
    with documented.running():
        for n, event in enumerate(ledger):
            assert documented.post(str(n), event) == 204
        by_ledger = documented.rewards
        assert documented.post("created", created) == 204
    assert documented.rewards == by_ledger == {1: 1, 2: 1, 9: 2}


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
