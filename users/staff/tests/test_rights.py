"""The audit trail of staff: who changed which rights, from where."""

from io import StringIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework.test import APIClient

from config.env import Limit
from conftest import ALICE, STAFF, open_session, signed_in, signed_in_as_staff
from limits.addresses import keyed_address
from users.models import User
from users.staff.admin_site import BY_PASSWORD
from users.tests.test_audit import Trail, trail

__all__ = ["trail"]

# Events are recorded when their transaction has ended.
pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = keyed_address("127.0.0.1")
NEW_PASSWORD = "copper lantern 42 fjord"


@pytest.fixture
def page(alice: User) -> str:
    return f"/admin/users/user/{alice.pk}/change/"


def person_form(**changes: Any) -> dict[str, Any]:
    return {"phone_number": ALICE, "is_active": "on", **changes}


def told(trail: Trail, *events: str) -> list[dict[str, Any]]:
    """The lines of these events, without what every line has."""
    common = {"time", "level", "logger", "request_id"}
    return [
        {name: fact for name, fact in line.items() if name not in common}
        for line in trail.lines
        if line["event"] in events
    ]


def test_rights_that_are_given_and_taken_are_recorded(
    admin: Client, alice: User, staff: User, page: str, trail: Trail
) -> None:
    group = Group.objects.create(name="Support")
    permission = Permission.objects.get(codename="view_user")
    given = {"is_staff": "on", "is_superuser": "on", "groups": group.pk}
    admin.post(page, person_form(**given, user_permissions=permission.pk))
    admin.post(page, person_form(first_name="Alice", is_staff="on"))
    by = {"user": alice.pk, "by": staff.pk, "address": ADDRESS}
    assert told(trail, "rights.changed") == [
        {
            "event": "rights.changed",
            "added": "group:Support, staff, superuser, users.view_user",
            "removed": "",
            **by,
        },
        {
            "event": "rights.changed",
            "added": "",
            "removed": "group:Support, superuser, users.view_user",
            **by,
        },
    ]


def test_a_change_of_the_name_is_no_change_of_rights(
    admin: Client, page: str, trail: Trail
) -> None:
    admin.post(page, person_form(first_name="Alice"))
    assert told(trail, "rights.changed") == []


def test_closing_and_opening_an_account_is_recorded(
    admin: Client, alice: User, staff: User, page: str, trail: Trail
) -> None:
    admin.post(page, person_form(is_active=""))
    admin.post(page, person_form())
    by = {"user": alice.pk, "by": staff.pk, "address": ADDRESS}
    assert told(trail, "account.closed", "account.reopened") == [
        {"event": "account.closed", **by},
        {"event": "account.reopened", **by},
    ]


def test_a_password_that_is_set_and_taken_away_is_recorded(
    admin: Client, alice: User, staff: User, trail: Trail
) -> None:
    url = f"/admin/users/user/{alice.pk}/password/"
    body = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert admin.post(url, {**body, "usable_password": "true"}).status_code == 302
    taken = {"usable_password": "false", "unset-password": "on"}
    assert admin.post(url, taken).status_code == 302
    by = {"user": alice.pk, "by": staff.pk, "address": ADDRESS}
    rights = {"event": "rights.changed", **by}
    assert told(trail, "password.set", "rights.changed") == [
        {"event": "password.set", **by},
        {**rights, "added": "password", "removed": ""},
        {**rights, "added": "", "removed": "password"},
    ]


def test_a_password_of_one_s_own_is_recorded(
    admin: Client, staff: User, trail: Trail
) -> None:
    body = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    body["old_password"] = "a long password"
    assert admin.post("/admin/password_change/", body).status_code == 302
    assert told(trail, "password.set") == [
        {
            "event": "password.set",
            "user": staff.pk,
            "by": staff.pk,
            "address": ADDRESS,
        }
    ]


def test_a_password_set_on_the_console_is_recorded(
    staff: User, trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda *args, **kwargs: NEW_PASSWORD)
    call_command("changepassword", STAFF, stdout=StringIO())
    assert told(trail, "password.set") == [{"event": "password.set", "user": staff.pk}]


def test_a_new_superuser_is_recorded(staff: User, trail: Trail) -> None:
    user = User.objects.create_superuser("+79990000010", NEW_PASSWORD)
    assert told(trail, "rights.changed", "password.set") == [
        {"event": "password.set", "user": user.pk},
        {"event": "rights.changed", "user": user.pk, "added": "staff, superuser"},
    ]


def test_people_without_rights_leave_no_line(trail: Trail) -> None:
    User.objects.create_user(ALICE)
    assert trail.lines == []


def test_rights_of_a_group_are_recorded(
    admin: Client, staff: User, trail: Trail
) -> None:
    permissions = Permission.objects.filter(codename__in=["view_user", "change_user"])
    body = {"name": "Readers", "permissions": [p.pk for p in permissions]}
    admin.post("/admin/auth/group/add/", body)
    group = Group.objects.get()
    admin.post(f"/admin/auth/group/{group.pk}/change/", {"name": "Readers"})
    admin.post(f"/admin/auth/group/{group.pk}/change/", body)
    selected = {"action": "delete_selected", "_selected_action": group.pk}
    admin.post("/admin/auth/group/", {**selected, "post": "yes"})
    assert not Group.objects.exists()
    both = "users.change_user, users.view_user"
    lines = told(trail, "rights.changed")
    assert [(line["added"], line["removed"]) for line in lines] == [
        (both, ""),
        ("", both),
        (both, ""),
        ("", both),
    ]
    assert {(line["group"], line["by"]) for line in lines} == {(group.pk, staff.pk)}


def test_the_rights_of_support_are_recorded_when_the_command_gives_them(
    db: None, trail: Trail
) -> None:
    for _ in range(2):
        call_command("support_group", stdout=StringIO())
    (line,) = told(trail, "rights.changed")
    assert "users.view_user" in line["added"]


def test_a_second_factor_that_is_removed_is_recorded(
    admin: Client, alice: User, staff: User, trail: Trail
) -> None:
    TOTPDevice.objects.create(user=alice)
    for _ in range(2):  # the second time there is none
        admin.post(f"/admin/users/user/{alice.pk}/reset-second-factor/")
    assert told(trail, "second_factor.removed") == [
        {
            "event": "second_factor.removed",
            "user": alice.pk,
            "by": staff.pk,
            "address": ADDRESS,
        }
    ]


def test_who_deletes_an_account_is_recorded(
    admin: Client, alice: User, staff: User, trail: Trail
) -> None:
    admin.post(f"/admin/users/user/{alice.pk}/delete/", {"post": "yes"})
    assert told(trail, "account.deleted") == [
        {
            "event": "account.deleted",
            "user": alice.pk,
            "by": staff.pk,
            "address": ADDRESS,
        }
    ]


@pytest.mark.parametrize(
    ("username", "phone", "is_known"),
    [
        (STAFF, STAFF.masked, True),
        (ALICE, ALICE.masked, False),
        ("nobody", None, False),
    ],
)
def test_a_wrong_password_is_recorded(
    client: Client,
    staff: User,
    trail: Trail,
    username: str,
    phone: str | None,
    is_known: bool,
) -> None:
    client.post("/admin/login/", {"username": username, "password": "wrong"})
    assert told(trail, "password.wrong") == [
        {
            "event": "password.wrong",
            "phone": phone,
            "address": ADDRESS,
            "user": staff.pk if is_known else None,
        }
        if phone
        else {"event": "password.wrong", "phone": None, "address": ADDRESS}
    ]


def test_a_form_without_a_password_is_no_guess(
    client: Client, staff: User, trail: Trail
) -> None:
    client.post("/admin/login/", {"username": STAFF, "password": ""})
    assert trail.lines == []


def test_a_guess_beyond_the_limit_is_recorded_as_refused(
    client: Client, staff: User, trail: Trail, settings: LazySettings
) -> None:
    limit = {"password_guesses_per_phone": Limit(2, 3600)}
    settings.LIMITS = {**settings.LIMITS, **limit}
    for _ in range(3):
        client.post("/admin/login/", {"username": STAFF, "password": "wrong"})
    assert told(trail, "password.refused") == [
        {
            "event": "password.refused",
            "limit": "password_guesses_per_phone",
            "phone": STAFF.masked,
            "address": ADDRESS,
        }
    ]


@pytest.mark.parametrize("name", ["phone", "address"])
def test_the_old_password_cannot_be_guessed_without_end(
    admin: Client, staff: User, settings: LazySettings, trail: Trail, name: str
) -> None:
    limits = {f"password_guesses_per_{name}": Limit(2, 3600)}
    settings.LIMITS = {**settings.LIMITS, **limits}
    new = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}

    def change(old_password: str) -> str:
        body = {**new, "old_password": old_password}
        return admin.post("/admin/password_change/", body).content.decode()

    for _ in range(2):
        assert "was entered incorrectly" in change("wrong")
    assert "Too many requests" in change("a long password")
    assert User.objects.get(pk=staff.pk).check_password("a long password")
    assert [line["by"] for line in told(trail, "password.wrong")] == [staff.pk] * 2


def test_a_staff_token_that_is_issued_and_refused_is_recorded(
    alice: User, staff: User, trail: Trail
) -> None:
    signed_in_as_staff(staff).get(f"/api/users/{alice.pk}/")
    signed_in(alice).get("/api/users/")
    APIClient().get("/api/users/")  # nobody: there is no token to refuse
    issued, read, refused = told(
        trail, "staff_token.issued", "people.read", "staff_token.refused"
    )
    assert issued["user"] == staff.pk
    assert read["address"] == ADDRESS
    assert refused == {
        "event": "staff_token.refused",
        "user": alice.pk,
        "address": ADDRESS,
    }


def test_what_support_does_has_the_address_too(
    client: Client, staff: User, alice: User, trail: Trail
) -> None:
    open_session(client, staff, backend=BY_PASSWORD)
    client.post(f"/admin/users/user/{alice.pk}/unlock/")
    (line,) = told(trail, "limits.cleared")
    assert (line["by"], line["address"]) == (staff.pk, ADDRESS)
    trail.text = ""
    signed_in(alice).delete("/api/profile/")  # the next request starts without them
    assert told(trail, "account.deleted") == [
        {"event": "account.deleted", "user": alice.pk}
    ]
