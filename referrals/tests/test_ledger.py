"""The ledger and its feed: what is written, by whom it is read, and in which order."""

from threading import Event as Signal
from threading import Thread
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction
from django.db.transaction import TransactionManagementError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, CLARA, error_of, signed_in, signed_in_as_staff
from referrals import ledger, services
from referrals.ledger import person_key
from referrals.models import Correction, LedgerEntry, Referral
from referrals.support.corrections import correct_inviter, revert_correction, standing
from users.models import User
from users.phone_change.services import move_account
from users.phones import PhoneNumber
from users.staff import ledger as feed
from users.tests.test_audit import Trail, trail
from webhooks.models import Event
from webhooks.tests.conftest import SECRET

__all__ = ["trail"]

pytestmark = pytest.mark.django_db

URL = "/api/referrals/"
OTHER = PhoneNumber("+79990000004")


@pytest.fixture
def webhooks_are_on(settings: LazySettings) -> None:
    settings.WEBHOOK_URL = "https://receiver.example/hook"
    settings.WEBHOOK_SECRETS = [SECRET]


def activate(invitee: User, inviter: User) -> None:
    body = {"invite_code": inviter.invite_code}
    assert signed_in(invitee).post("/api/profile/", body).status_code == 200


def correct(invitee: User, inviter: User | None, by: User) -> Correction:
    seen = standing(invitee.pk).seen
    return correct_inviter(
        invitee=invitee, inviter=inviter, seen=seen, reason="x", by=by
    )


def read(client: APIClient, since: int = 0) -> list[dict[str, Any]]:
    response = client.get(URL, {"since": since})
    assert response.status_code == 200, response.json()
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def side(person: User | None, suffix: str = "") -> dict[str, Any]:
    return {
        f"inviter_id{suffix}": person and person.pk,
        f"inviter_key{suffix}": person and person_key(person.phone_number),
        f"invite_code{suffix}": person and person.invite_code,
    }


@pytest.mark.parametrize("mover", ["invitee", "inviter"])
def test_a_number_that_changes_during_an_activation_has_its_new_key(
    alice: User, boris: User, mover: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Receivers pay to the newest key, and the activation is the newest entry."""
    found = services.find_inviter

    def find_inviter(code: str) -> AbstractBaseUser:
        inviter = found(code)  # from here on the service holds both accounts
        moved = boris if mover == "invitee" else alice
        move_account(User.objects.get(pk=moved.pk), OTHER)
        return inviter

    monkeypatch.setattr(services, "find_inviter", find_inviter)
    activate(boris, alice)
    data = LedgerEntry.objects.latest("at").data
    assert data[f"{mover}_key"] == person_key(OTHER)


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mover", ["invitee", "inviter"])
def test_an_activation_waits_for_a_change_of_number_that_is_not_committed(
    alice: User, boris: User, mover: str
) -> None:
    """Its entry is later than the one of the change, so it needs the new key."""
    moved = boris if mover == "invitee" else alice

    def activate_and_close() -> None:
        services.activate_invite_code(
            invitee=boris, code=alice.invite_code, address="192.0.2.1"
        )
        connections.close_all()

    activation = Thread(target=activate_and_close)
    with transaction.atomic():
        move_account(User.objects.get(pk=moved.pk), OTHER)
        activation.start()
        activation.join(timeout=0.5)
    activation.join()
    change, entry = LedgerEntry.objects.order_by("at")
    assert change.type == "user.phone_changed"
    assert entry.data[f"{mover}_key"] == person_key(OTHER)


def test_corrections_and_reverts_name_both_inviters(
    alice: User, boris: User, clara: User, staff: User, webhooks_are_on: None
) -> None:
    activate(boris, alice)
    at = Referral.objects.get().created_at.isoformat()
    moved = correct(boris, clara, staff)
    revert_correction(moved, reason="x", by=staff)
    correct(boris, None, staff)
    expected: list[tuple[str, User | None, User | None]] = [
        ("referral.activated", None, alice),
        ("referral.corrected", alice, clara),
        ("referral.reverted", clara, alice),
        ("referral.corrected", alice, None),
    ]
    told = Event.objects.filter(type__startswith="referral.").order_by("created_at")
    assert [(event.type, event.data) for event in told] == [
        (
            type_,
            {
                "invitee_id": boris.pk,
                "invitee_key": person_key(BORIS),
                **side(before, "_before"),
                **side(after),
                "activated_at": at if after else None,
            },
        )
        for type_, before, after in expected
    ]


def test_the_inviter_of_before_is_named_after_the_account_is_gone(
    alice: User, boris: User, clara: User, staff: User
) -> None:
    activate(boris, alice)
    before = side(alice, "_before")
    moved = correct(boris, clara, staff)
    signed_in(alice).delete("/api/profile/")
    moved.refresh_from_db()
    revert_correction(moved, reason="x", by=staff)
    data = LedgerEntry.objects.get(type="referral.reverted").data
    assert {f"{name}_before": data[name] for name in side(None)} == before


@pytest.mark.parametrize("way", ["owner", "staff", "staff, several at once"])
def test_a_deletion_is_told(
    admin: Client, alice: User, webhooks_are_on: None, way: str
) -> None:
    pk, code = alice.pk, alice.invite_code
    if way == "owner":
        signed_in(alice).delete("/api/profile/")
    elif way == "staff":
        admin.post(f"/admin/users/user/{pk}/delete/", {"post": "yes"})
    else:
        form = {"action": "delete_selected", "_selected_action": pk, "post": "yes"}
        admin.post("/admin/users/user/", form)
    assert not User.objects.filter(pk=pk).exists()
    data = Event.objects.get(type="user.deleted").data
    assert data.pop("deleted_at")
    assert data == {"user_id": pk, "user_key": person_key(ALICE), "invite_code": code}


def test_a_change_of_number_is_told_by_keys(
    admin: Client, alice: User, webhooks_are_on: None
) -> None:
    form = {"phone_number": OTHER, "is_active": "on"}
    admin.post(f"/admin/users/user/{alice.pk}/change/", form)
    data = Event.objects.get(type="user.phone_changed").data
    assert data.pop("changed_at")
    assert data == {
        "user_id": alice.pk,
        "user_key": person_key(OTHER),
        "user_key_before": person_key(ALICE),
    }


@pytest.mark.parametrize("way", ["admin", "createsuperuser"])
def test_an_account_made_by_staff_is_told(
    admin: Client, webhooks_are_on: None, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "admin":
        form = {"phone_number": OTHER, "usable_password": "false"}
        admin.post("/admin/users/user/add/", form)
    else:
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long password")
        call_command("createsuperuser", phone_number=OTHER, interactive=False)
    user = User.objects.get(phone_number=OTHER)
    data = Event.objects.get(type="user.created").data
    assert (data["user_id"], data["user_key"]) == (user.pk, person_key(OTHER))


def test_an_entry_is_its_event(
    alice: User, boris: User, staff: User, webhooks_are_on: None
) -> None:
    activate(boris, alice)
    signed_in(boris).delete("/api/profile/")
    entries = read(signed_in_as_staff(staff))
    told = Event.objects.exclude(type="user.created").order_by("created_at")
    assert [(entry["id"], entry["type"], entry["data"]) for entry in entries] == [
        (str(event.pk), event.type, event.data) for event in told
    ]
    assert [entry["position"] for entry in entries] == [1, 2]


def test_the_ledger_is_kept_without_a_url_and_after_deletions(
    alice: User, boris: User, staff: User, settings: LazySettings
) -> None:
    activate(boris, alice)
    for person in (alice, boris):
        signed_in(person).delete("/api/profile/")
    assert not Event.objects.exists()
    entries = read(signed_in_as_staff(staff))
    types = ["referral.activated", "user.deleted", "user.deleted"]
    assert [entry["type"] for entry in entries] == types
    kept = str(list(LedgerEntry.objects.values()))
    for number in (ALICE, BORIS):
        assert number.strip("+") not in kept


@pytest.mark.parametrize("what", ["activation", "correction", "deletion", "move"])
def test_nothing_happens_without_its_entry(
    admin: Client,
    alice: User,
    boris: User,
    clara: User,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    def fail(*args: object, **fields: object) -> None:
        raise DatabaseError

    activate(boris, alice)
    monkeypatch.setattr(LedgerEntry, "save", fail)
    client = signed_in(clara)
    client.raise_request_exception = admin.raise_request_exception = False
    before = list(Referral.objects.values()), list(User.objects.values("phone_number"))
    if what == "activation":
        response: Any = client.post("/api/profile/", {"invite_code": alice.invite_code})
    elif what == "deletion":
        response = client.delete("/api/profile/")
    elif what == "correction":
        form = {"inviter": CLARA, "reason": "x", "seen": standing(boris.pk).seen}
        response = admin.post(f"/admin/referrals/referral/{boris.pk}/correct/", form)
    else:
        form = {"phone_number": OTHER, "is_active": "on"}
        response = admin.post(f"/admin/users/user/{clara.pk}/change/", form)
    assert response.status_code == 500
    after = list(Referral.objects.values()), list(User.objects.values("phone_number"))
    assert after == before


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_a_mistake() -> None:
    with pytest.raises(TransactionManagementError):
        ledger.record_deletion(user_id=1, user_key="x", invite_code="x")


def test_pages_follow_each_other(
    alice: User, boris: User, clara: User, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "PAGE_SIZE", 2)
    monkeypatch.setattr(ledger, "NUMBERED_AT_ONCE", 3)
    for invitee, inviter in ((alice, boris), (boris, clara), (clara, alice)):
        activate(invitee, inviter)
    client = signed_in_as_staff(staff)
    first = client.get(URL).json()
    second = client.get(first["next"]).json()
    assert [row["position"] for row in first["results"]] == [1, 2]
    assert [row["position"] for row in second["results"]] == [3]
    assert second["next"] is None
    assert read(client, since=3) == []
    signed_in(alice).delete("/api/profile/")
    assert [row["type"] for row in read(client, since=3)] == ["user.deleted"]


@pytest.mark.parametrize(
    ("since", "code"),
    [
        ("x", "invalid"),
        ("-1", "min_value"),
        ("1.5", "invalid"),
        ("9" * 30, "max_value"),
        ("\0", "invalid"),
        ("2", "since_unknown"),
        (str(2**63 - 1), "since_unknown"),
    ],
)
def test_a_since_that_never_was_is_refused(
    alice: User, boris: User, staff: User, since: str, code: str
) -> None:
    activate(alice, boris)
    response = signed_in_as_staff(staff).get(URL, {"since": since})
    assert response.status_code == 400
    error = error_of(response)
    assert (error["code"], error["attr"]) == (code, "since")


def test_a_read_is_on_record(
    alice: User, boris: User, staff: User, trail: Trail
) -> None:
    activate(alice, boris)
    read(signed_in_as_staff(staff))
    line = trail.lines[-1]
    assert line["event"] == "ledger.read"
    assert (line["staff"], line["since"], line["entries"]) == (staff.pk, 0, 1)
    assert line["address"]


def test_a_read_without_news_takes_four_queries(
    alice: User,
    boris: User,
    staff: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    activate(alice, boris)
    client = signed_in_as_staff(staff)
    read(client)
    with django_assert_num_queries(4):  # token; news; last position; page
        read(client)


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)
@pytest.mark.django_db(transaction=True)
def test_a_reader_misses_no_entry_that_is_committed_late(staff: User) -> None:
    """Eight writers that commit in another order than they began, and one reader."""
    done = Signal()
    written: set[int] = set()

    def write(first: int) -> None:
        for n in range(first, 400, 8):
            with transaction.atomic():
                ledger.record_deletion(user_id=n, user_key="x", invite_code="x")
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(%s)", [(n * 7 % 5) / 400])
            written.add(n)
        connections.close_all()

    def follow(seen: list[int]) -> None:
        since, is_last = 0, False
        while not is_last:
            is_last = done.is_set()
            for entry in feed.read_ledger(since)[0]:
                seen.append(entry.person_id)
                since = entry.position or 0
        connections.close_all()

    readers: list[list[int]] = [[], [], []]
    writers = [Thread(target=write, args=[n]) for n in range(8)]
    followers = [Thread(target=follow, args=[seen]) for seen in readers]
    for thread in [*followers, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in followers:
        thread.join()
    assert written == set(range(400))
    for seen in readers:
        assert len(seen) == len(set(seen))
        assert set(seen) == written


def test_history_is_added_once_and_equals_what_was_recorded(
    alice: User, boris: User, clara: User, staff: User
) -> None:
    activate(boris, alice)
    activate(clara, alice)
    correct(boris, clara, staff)
    correct(boris, None, staff)
    activate(boris, clara)
    removed = correct(alice, boris, staff)
    revert_correction(removed, reason="x", by=staff)
    recorded = {
        entry.pk: entry.data | {"activated_at": None}
        for entry in LedgerEntry.objects.all()
    }
    LedgerEntry.objects.filter(type="referral.activated").delete()
    call_command("fill_ledger")  # on top of those that are left
    call_command("fill_ledger")
    LedgerEntry.objects.all().delete()
    call_command("fill_ledger")
    filled = {
        entry.pk: entry.data | {"activated_at": None}
        for entry in LedgerEntry.objects.all()
    }
    assert filled == recorded
    positions = LedgerEntry.objects.order_by("position").values_list("position")
    assert list(positions) == [(n,) for n in range(1, len(recorded) + 1)]


def test_history_before_the_ledger_is_in_the_feed(
    alice: User, boris: User, staff: User
) -> None:
    then = timezone.now()
    Referral.objects.create(
        invitee=boris, inviter=alice, code_used=alice.invite_code, created_at=then
    )
    call_command("fill_ledger")
    (entry,) = read(signed_in_as_staff(staff))
    assert entry["data"] == {
        "invitee_id": boris.pk,
        "invitee_key": person_key(BORIS),
        **side(None, "_before"),
        **side(alice),
        "activated_at": then.isoformat(),
    }
