import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError, close_old_connections, connection
from django.db.models import ForeignObjectRel
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from config.server import request_queue
from conftest import (
    ALICE,
    BORIS,
    CLARA,
    Clock,
    ask_for_code,
    error_of,
    open_session,
    signed_in,
)
from referrals.came_by import CameBy
from referrals.ledger import person_key
from referrals.services import activate_invite_code
from referrals.support.corrections import correct_inviter, standing
from referrals.support.replacements import replace_invite_code
from referrals.tests.test_list import invite_many
from users import number_history
from users.data_export import services
from users.models import Device, TermsAcceptance, User
from users.phone_change.services import move_account
from users.phones import PhoneNumber
from users.tests.pages import text

URL, PAGE = "/api/profile/export/", "/profile/export/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def export_is_on(settings: LazySettings) -> LazySettings:
    settings.DATA_EXPORT = True
    return settings


def body_of(response: Any) -> str:
    assert response.status_code == 200
    body: str = response.getvalue().decode()
    return body


def download(user: User) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(body_of(signed_in(user).get(URL)))
    return document


def test_export_document(alice: User, boris: User, clara: User, clock: Clock) -> None:
    now = "2026-11-21T12:00:00Z"
    User.objects.filter(pk=boris.pk).update(
        first_name="Борис", email="b@example.com", date_joined=timezone.now()
    )
    activate_invite_code(
        invitee=boris, code=alice.invite_code, address="192.0.2.1", came_by=CameBy.LINK
    )
    activate_invite_code(invitee=clara, code=boris.invite_code, address="192.0.2.1")
    number_history.record(BORIS.pseudonym, number_history.SIGNED_IN)
    TermsAcceptance.objects.create(user=boris, version="2026-11")
    document = download(boris)
    device = Device.objects.get(user=boris)
    entry = document["ledger"][0]
    assert document == {
        "exported_at": now,
        "account": {
            "id": boris.pk,
            "phone_number": BORIS,
            "first_name": "Борис",
            "last_name": "",
            "email": "b@example.com",
            "is_staff": False,
            "email_verified_at": None,
            "joined_at": now,
            "last_sign_in_at": None,
        },
        "invite_codes": [
            {"code": boris.invite_code, "works": True, "replaced_at": None}
        ],
        "activated_invite_code": {
            "code": alice.invite_code,
            "activated_at": now,
            "came_by": "link",
            "inviter": ALICE.masked,
        },
        "corrections_of_inviter": [],
        "devices": [
            {
                "id": device.pk,
                "name": "test",
                "device": "test",
                "created_at": now,
                "last_used_at": now,
                "expires_at": "2027-02-19T12:00:00Z",
            }
        ],
        "number_history": [{"at": now, "event": "signed_in", "about": ""}],
        "terms": [{"version": "2026-11", "accepted_at": now}],
        "ledger": [
            {
                "id": entry["id"],
                "type": "referral.activated",
                "at": now,
                "data": {
                    "invitee_id": boris.pk,
                    "invitee_key": person_key(BORIS),
                    "invite_code": alice.invite_code,
                    "invite_code_before": None,
                    "activated_at": "2026-11-21T12:00:00+00:00",
                },
            }
        ],
        "referrals": [{"phone_number": CLARA, "activated_at": now}],
    }


EXPORTED = {
    "User.date_joined",
    "User.email",
    "User.first_name",
    "User.id",
    "User.invite_code",
    "User.is_staff",
    "User.last_login",
    "User.last_name",
    "User.phone_number",
    "Correction.invitee",
    "Device.user",
    "Referral.invitee",
    "Referral.inviter",
    "ReplacedInviteCode.owner",
    "TermsAcceptance.user",
    "VerifiedEmail.user",
}
NOT_EXPORTED = {
    "User.is_active": "people whose account is closed cannot sign in",
    "User.known_devices_key": "a secret",
    "User.password": "a secret",
    "User.is_superuser": "a right of staff",
    "User.groups": "a right of staff",
    "User_groups.user": "a right of staff",
    "User.user_permissions": "a right of staff",
    "User_user_permissions.user": "a right of staff",
    "LogEntry.user": "work of staff",
    "Correction.by": "work of staff",
    "ReplacedInviteCode.by": "work of staff",
    "Correction.before": "about the invited person",
    "Correction.after": "about the invited person",
    "StaticDevice.user": "a secret of staff",
    "TOTPDevice.user": "a secret of staff",
}


def test_new_columns_and_relations_are_exported_or_excluded() -> None:
    """If this fails, add the new one to the export, or here with the reason."""
    found = {
        f"{field.related_model.__name__}.{field.field.name}"
        if isinstance(field, ForeignObjectRel)
        else f"User.{field.name}"
        for field in User._meta.get_fields(include_hidden=True)
    }
    assert found == EXPORTED | NOT_EXPORTED.keys()
    assert not EXPORTED & NOT_EXPORTED.keys()


def test_export_is_an_attachment_and_not_cached(alice: User, clock: Clock) -> None:
    response = signed_in(alice).get(URL)
    name = "my-data-2026-11-21.json"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response["Content-Type"] == "application/json; charset=utf-8"
    assert response["Cache-Control"] == "no-store"


def test_the_file_tells_nothing_more_of_others_and_no_secret(
    alice: User, boris: User, clara: User, staff: User
) -> None:
    """An inviter who was corrected, an old code, and the reasons that staff gave."""
    activate_invite_code(invitee=boris, code=alice.invite_code, address="192.0.2.1")
    correct_inviter(
        invitee=boris,
        inviter=clara,
        seen=standing(boris.pk).seen,
        reason=f"Ask {ALICE}",
        by=staff,
    )
    old_code = boris.invite_code
    replace_invite_code(
        owner=boris, seen=old_code, is_honoured=False, reason=f"Ask {ALICE}", by=staff
    )
    boris = User.objects.get(pk=boris.pk)
    client = signed_in(boris)
    whole = body_of(client.get(URL))
    document = json.loads(whole)
    assert document["activated_invite_code"]["inviter"] == CLARA.masked
    assert [code["code"] for code in document["invite_codes"]] == [
        boris.invite_code,
        old_code,
    ]
    assert document["corrections_of_inviter"][0]["code_before"] == alice.invite_code
    assert len(document["ledger"]) == 2
    for other in (alice, clara, staff):
        assert other.phone_number not in whole
        assert person_key(other.phone_number) not in whole
    device = Device.objects.get(user=boris)
    assert device.digest not in whole
    assert str(device.random_id) not in whole
    assert str(boris.known_devices_key) not in whole
    assert "inviter_id" not in whole


def test_what_happened_to_the_number_before_is_not_in_the_file(
    clock: Clock, boris: User
) -> None:
    number_history.record(CLARA.pseudonym, number_history.SENT, "sms")
    clock.pass_seconds(60)
    move_account(boris, CLARA)
    clock.pass_seconds(60)
    number_history.record(CLARA.pseudonym, number_history.SENT, "call")
    assert [row["about"] for row in download(boris)["number_history"]] == ["call"]


def test_a_new_owner_of_a_number_does_not_see_the_one_before(
    api: APIClient, clock: Clock
) -> None:
    ask_for_code(api, BORIS)
    clock.pass_seconds(3600)
    document = download(User.objects.create_user(BORIS))
    assert document["number_history"] == []


def test_many_referrals_come_in_pieces_and_each_once(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite_many(alice, 95)
    monkeypatch.setattr(services, "REFERRALS_AT_ONCE", 10)
    response = signed_in(alice).get(URL)
    assert response.streaming
    rows = json.loads(body_of(response))["referrals"]
    assert len({row["phone_number"] for row in rows}) == len(rows) == 95
    times = [row["activated_at"] for row in rows]
    assert times == sorted(times, reverse=True)


@pytest.mark.django_db(transaction=True)
def test_a_client_that_reads_slowly_holds_no_connection(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_queue, "close_old_connections", close_old_connections)
    monkeypatch.setattr(services, "REFERRALS_AT_ONCE", 10)
    invite_many(alice, 30)
    response: Any = signed_in(alice).get(URL)
    held = [connection.connection is not None for _ in response.streaming_content]
    assert len(held) > 3
    assert not any(held)


def test_referrals_of_the_same_moment_are_all_in_the_file(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite_many(alice, 30)
    alice.referrals.update(created_at=timezone.now() - timedelta(days=1))
    monkeypatch.setattr(services, "REFERRALS_AT_ONCE", 7)
    rows = download(alice)["referrals"]
    assert len({row["phone_number"] for row in rows}) == len(rows) == 30


def test_export_is_audited_without_its_content(
    alice: User, records: list[dict[str, Any]]
) -> None:
    download(alice)
    assert records == [{"event": "data.exported", "user": alice.pk}]


def test_downloads_are_limited(alice: User, client: Client) -> None:
    app = signed_in(alice)
    for _ in range(5):
        assert app.get(URL).status_code == 200
    response = app.get(URL)
    assert response.status_code == 429
    assert error_of(response)["limit"] == "data_exports_per_user"
    open_session(client, alice)
    page = client.post(PAGE)
    assert page.status_code == 429
    assert "Try again in" in text(page)


def test_a_download_that_fails_does_not_count(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(user: User) -> None:
        raise OperationalError

    app = signed_in(alice)
    with monkeypatch.context() as patched:
        patched.setattr(services, "_ledger", fail)
        for _ in range(6):
            assert app.get(URL).status_code == 503
    assert app.get(URL).status_code == 200


def test_the_profile_page_has_a_button(client: Client, alice: User) -> None:
    open_session(client, alice)
    assert "Download my data" in text(client.get("/profile/"))
    response = client.post(PAGE)
    account = json.loads(body_of(response))["account"]
    assert account["phone_number"] == ALICE
    assert response["Cache-Control"] == "no-store"
    assert client.get(PAGE).status_code == 405


def test_export_needs_a_sign_in(api: APIClient, client: Client) -> None:
    assert api.get(URL).status_code == 401
    assert client.post(PAGE).status_code == 302


def test_it_is_off_unless_it_is_turned_on(
    client: Client, alice: User, export_is_on: LazySettings
) -> None:
    export_is_on.DATA_EXPORT = False
    response = signed_in(alice).get(URL)
    assert (response.status_code, error_of(response)["code"]) == (404, "not_found")
    open_session(client, alice)
    assert "Download my data" not in text(client.get("/profile/"))
    assert client.post(PAGE).status_code == 404


def test_inviter_is_masked_as_in_the_profile(
    client: Client, alice: User, boris: User
) -> None:
    activate_invite_code(invitee=boris, code=alice.invite_code, address="192.0.2.1")
    open_session(client, boris)
    inviter = download(boris)["activated_invite_code"]["inviter"]
    assert inviter == PhoneNumber(ALICE).masked
    assert inviter in text(client.get("/profile/"))


def test_an_inviter_who_is_gone_stays_unnamed(alice: User, boris: User) -> None:
    activate_invite_code(invitee=boris, code=alice.invite_code, address="192.0.2.1")
    assert signed_in(alice).delete("/api/profile/").status_code == 204
    activated = download(boris)["activated_invite_code"]
    assert (activated["code"], activated["inviter"]) == (alice.invite_code, None)
