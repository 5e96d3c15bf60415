"""Support staff's pages, users' and referrals'."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.forms import BaseForm
from django.test import Client
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from config.env import Limit
from conftest import ALICE, BORIS, CLARA, STAFF, open_session, signed_in
from referrals.models import Correction, Referral
from referrals.support.replacements import replace_invite_code
from referrals.tests.test_list import invite_many
from users.channels.memory import Message
from users.devices.services import sign_out_everywhere
from users.devices.token_authentication import issue_token
from users.login.clients import Client as Asker
from users.login.clients import issue_known_device_token
from users.models import Device, User
from users.phone_change.services import move_account
from users.profile.services import close_account, delete_account, update_profile
from users.staff.admin_site import BY_PASSWORD
from webhooks.models import Event

pytestmark = pytest.mark.django_db


def invite(inviter: User, invitee: User) -> None:
    Referral.objects.create(
        inviter=inviter, invitee=invitee, code_used=inviter.invite_code
    )


@pytest.mark.parametrize("spelling", [STAFF, "8 (999) 000-00-09"])
def test_staff_sign_in_with_any_spelling(
    client: Client, staff: User, spelling: str
) -> None:
    body = {"username": spelling, "password": "a long password"}
    response = client.post("/admin/login/?next=/admin/", body)
    assert response.status_code == 302
    assert client.get("/admin/").status_code == 200


def test_signing_out_ends_the_device_of_the_browser(admin: Client, staff: User) -> None:
    assert Device.objects.of_user(staff).count() == 1
    assert admin.get("/admin/logout/").status_code == 405
    assert Device.objects.of_user(staff).count() == 1
    admin.post("/admin/logout/")
    assert not Device.objects.of_user(staff).exists()
    assert admin.get("/admin/").status_code == 302


@pytest.mark.parametrize("username", ["12", ALICE, "", "\x00"])
def test_others_do_not_sign_in(client: Client, alice: User, username: str) -> None:
    body = {"username": username, "password": "a long password"}
    response = client.post("/admin/login/?next=/admin/", body)
    assert response.status_code == 200
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("name", ["phone", "address"])
def test_passwords_cannot_be_guessed_without_end(
    client: Client, staff: User, settings: LazySettings, name: str
) -> None:
    limits = {f"password_guesses_per_{name}": Limit(2, 3600)}
    settings.LIMITS = {**settings.LIMITS, **limits}

    def sign_in(password: str) -> bytes:
        body = {"username": "8 (999) 000-00-09", "password": password}
        return client.post("/admin/login/?next=/admin/", body).content

    sign_in("a long password")  # a right one costs nothing
    client.logout()
    assert b"Please enter the correct" in sign_in("wrong")
    assert b"Please enter the correct" in sign_in("wrong")
    assert b"Too many requests" in sign_in("a long password")
    assert client.get("/admin/").status_code == 302


def test_wrong_passwords_from_elsewhere_do_not_lock_staff_out(
    staff: User, settings: LazySettings
) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    limit = {"password_guesses_per_phone": Limit(2, 3600)}
    settings.LIMITS = {**settings.LIMITS, **limit}

    def sign_in(password: str, address: str) -> bytes:
        body = {"username": STAFF, "password": password}
        browser = Client(headers={"x-forwarded-for": address})
        return browser.post("/admin/login/", body).content

    for _ in range(3):
        sign_in("wrong", "198.51.100.1")
    assert b"Too many requests" in sign_in("a long password", "198.51.100.1")
    assert b"Please enter the correct" in sign_in("wrong", "192.0.2.1")
    assert b"Please enter the correct" in sign_in("wrong", "192.0.2.2")
    assert b"Too many requests" in sign_in("a long password", "192.0.2.3")
    assert b"Too many requests" not in sign_in("a long password", "203.0.113.1")


INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=")


@pytest.mark.parametrize(
    "page",
    [
        "",
        "users/user/",
        "users/user/?is_active__exact=1&o=-4",
        "users/user/add/",
        "users/user/{pk}/change/",
        "users/user/{pk}/password/",
        "users/user/{pk}/delete/",
        "referrals/referral/",
        "referrals/referral/{pk}/change/",
        "referrals/referral/?inviter__id__exact={pk}",
        "referrals/referral/why/",
        "referrals/referral/{pk}/correct/",
        "referrals/correction/",
        "referrals/correction/{correction}/change/",
        "referrals/correction/{correction}/revert/",
        "dashboard/",
        "auth/group/",
    ],
)
def test_every_page_opens(admin: Client, alice: User, boris: User, page: str) -> None:
    invite(alice, boris)
    issue_token(user=boris, user_agent="<script>alert(1)</script>")
    User.objects.filter(pk=boris.pk).update(first_name="<script>alert(2)</script>")
    correction = Correction.objects.create(
        invitee=boris, code_after=alice.invite_code, reason="<script>alert(3)</script>"
    )
    response = admin.get(f"/admin/{page.format(pk=boris.pk, correction=correction.pk)}")
    assert response.status_code == 200
    assert b"<script>alert" not in response.content
    assert not INLINE.search(response.content.decode())


SPELLINGS = ["8 (999) 000-00-02", BORIS, "{code}", " {lower} "]


@pytest.mark.parametrize(
    ("page", "term"),
    [
        *(("users/user/", term) for term in SPELLINGS),
        *(("referrals/referral/", term) for term in SPELLINGS),
    ],
)
def test_people_are_found_by_number_and_code(
    admin: Client, alice: User, boris: User, clara: User, page: str, term: str
) -> None:
    invite(boris, clara)
    code = boris.invite_code
    term = term.format(code=code, lower=code.lower())
    body = admin.get(f"/admin/{page}", {"q": term}).content.decode()
    assert BORIS in body
    assert ALICE not in body


@pytest.mark.parametrize("term", ["nothing", "--", "+7999", "'"])
@pytest.mark.parametrize("page", ["users/user/", "referrals/referral/"])
def test_a_text_that_is_neither_number_nor_code_finds_nobody(
    admin: Client, alice: User, boris: User, page: str, term: str
) -> None:
    invite(alice, boris)
    response = admin.get(f"/admin/{page}", {"q": term})
    assert response.status_code == 200
    assert response.context["cl"].result_count == 0


@pytest.mark.parametrize("page", ["users/user/", "referrals/referral/"])
def test_a_search_for_a_null_character_is_refused(admin: Client, page: str) -> None:
    response = admin.get(f"/admin/{page}", {"q": "\x00"})
    assert b"Null characters are not allowed." in response.content


@pytest.mark.parametrize("number", [3, 40])
def test_the_list_of_people_takes_a_fixed_number_of_queries(
    admin: Client,
    alice: User,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    invite_many(alice, number)
    # Session; staff user; device; bounded count; people with activation; how many each
    # invited.
    with django_assert_num_queries(6):
        body = admin.get("/admin/users/user/").content.decode()
    assert f'<td class="field-invited_count">{number}</td>' in body


@pytest.mark.parametrize("number", [3, 90])
def test_a_change_page_takes_a_fixed_number_of_queries(
    admin: Client,
    alice: User,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    invite_many(alice, number)
    # Session; staff user; device; person; activation with the inviter; activation;
    # how many were invited; groups; permissions with their content types; the person's
    # groups and permissions; invited people; devices; bursts; replaced codes;
    # accepted terms.
    page = f"/admin/users/user/{alice.pk}/change/"
    admin.get(page)  # content types are remembered from here on
    with django_assert_num_queries(16):
        admin.get(page)


def test_codes_are_read_only(admin: Client, alice: User, boris: User) -> None:
    invite(alice, boris)
    people = admin.get(f"/admin/users/user/{alice.pk}/change/").content.decode()
    assert 'name="invite_code"' not in people
    referral = admin.get(f"/admin/referrals/referral/{boris.pk}/change/")
    assert b"<input" not in referral.content.split(b"<main", 1)[-1].replace(
        b'<input type="hidden"', b""
    )
    for action in ("add", f"{boris.pk}/delete"):
        assert admin.get(f"/admin/referrals/referral/{action}/").status_code == 403


def test_a_person_added_by_staff_gets_an_invite_code(admin: Client) -> None:
    body = {"phone_number": "8 (999) 000-00-02", "usable_password": "false"}
    response = admin.post("/admin/users/user/add/", body)
    assert response.status_code == 302
    person = User.objects.get(phone_number=BORIS)
    assert person.invite_code
    assert not person.has_usable_password()


def test_a_person_added_by_staff_is_told_to_other_systems(
    admin: Client, settings: LazySettings
) -> None:
    settings.WEBHOOK_URL = "https://receiver.example/hook"
    body = {"phone_number": BORIS, "usable_password": "false"}
    for _ in range(2):  # the second is refused: the number is taken
        admin.post("/admin/users/user/add/", body)
    event = Event.objects.get()
    person = User.objects.get(phone_number=BORIS)
    assert (event.type, event.data["user_id"]) == ("user.created", person.pk)


def test_a_taken_number_is_refused_by_the_form(admin: Client, boris: User) -> None:
    body = {"phone_number": "8 (999) 000-00-02", "usable_password": "false"}
    response = admin.post("/admin/users/user/add/", body)
    assert response.status_code == 200
    assert b"A person with this number already exists." in response.content


def test_an_sms_code_does_not_open_the_admin_site(
    client: Client, staff: User, outbox: list[Message]
) -> None:
    client.post("/login/", {"phone_number": STAFF})
    code = re.search(r"\d{4}", outbox[-1].text)
    assert code
    client.post("/login/code/", {"code": code[0]})
    assert client.get("/profile/").status_code == 200
    assert client.get("/admin/users/user/").status_code == 302


def test_a_person_who_was_invited_can_be_deleted(
    admin: Client, alice: User, boris: User
) -> None:
    invite(alice, boris)
    page = f"/admin/users/user/{boris.pk}/delete/"
    assert b"Cannot delete" not in admin.get(page).content
    assert admin.post(page, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=boris.pk).exists()
    assert not Referral.objects.exists()


def test_several_people_can_be_deleted_at_once(
    admin: Client, alice: User, boris: User
) -> None:
    invite(alice, boris)
    body = {
        "action": "delete_selected",
        "_selected_action": [alice.pk, boris.pk],
        "post": "yes",
    }
    admin.post("/admin/users/user/", body)
    assert not User.objects.filter(pk__in=[alice.pk, boris.pk]).exists()


def person_form(**changes: object) -> dict[str, object]:
    return {
        "phone_number": ALICE,
        "is_active": "on",
        **changes,
    }


def test_closing_an_account_ends_its_devices_for_good(
    admin: Client, alice: User
) -> None:
    phone = signed_in(alice)
    page = f"/admin/users/user/{alice.pk}/change/"
    admin.post(page, person_form(is_active=""))
    assert phone.get("/api/profile/").status_code == 401
    admin.post(page, person_form())
    alice.refresh_from_db()
    assert alice.is_active
    assert phone.get("/api/profile/").status_code == 401


def test_a_number_changed_by_staff_signs_out_its_old_owner_and_is_recorded(
    admin: Client,
    alice: User,
    staff: User,
    records: list[dict[str, Any]],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    phone = signed_in(alice)
    body = person_form(phone_number="8 (999) 000-00-02", first_name="Alice")
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(f"/admin/users/user/{alice.pk}/change/", body)
    alice.refresh_from_db()
    assert (alice.phone_number, alice.first_name) == (BORIS, "Alice")
    assert phone.get("/api/profile/").status_code == 401
    (record,) = [r for r in records if r["event"] == "phone_number.changed"]
    assert record == {
        "event": "phone_number.changed",
        "user": alice.pk,
        "old": ALICE.masked,
        "new": BORIS.masked,
        "by": staff.pk,
    }


def test_a_device_of_a_number_that_staff_moved_away_is_no_longer_known(
    admin: Client, alice: User
) -> None:
    device = Asker("192.0.2.1", issue_known_device_token(alice))
    assert device.known_device(ALICE)
    page = f"/admin/users/user/{alice.pk}/change/"
    admin.post(page, person_form(phone_number=BORIS))
    admin.post(page, person_form(phone_number=ALICE))
    assert User.objects.get(pk=alice.pk).phone_number == ALICE
    assert not device.known_device(ALICE)


Meanwhile = Callable[[Callable[[], None]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """What others do once, after a form was filled in and before it is saved."""

    def do(act: Callable[[], None]) -> None:
        is_valid = BaseForm.is_valid

        def do_before(form: BaseForm) -> bool:
            monkeypatch.setattr(BaseForm, "is_valid", is_valid)
            act()
            return is_valid(form)

        monkeypatch.setattr(BaseForm, "is_valid", do_before)

    return do


PASSWORDS = {
    f"{name}password{n}": "copper lantern 42 fjord"
    for name in ("", "new_")
    for n in "12"
}


@pytest.mark.parametrize(
    ("page", "body"),
    [
        ("users/user/{pk}/change/", {"phone_number": STAFF, "first_name": "Olga"}),
        ("users/user/{pk}/password/", PASSWORDS),
        ("password_change/", {"old_password": "a long password", **PASSWORDS}),
    ],
)
def test_a_form_keeps_what_others_change_meanwhile(
    admin: Client, staff: User, meanwhile: Meanwhile, page: str, body: dict[str, str]
) -> None:
    def act() -> None:
        seen = staff.invite_code
        replace_invite_code(
            owner=staff, seen=seen, is_honoured=False, reason="r", by=staff
        )
        sign_out_everywhere(staff)
        update_profile(staff, last_name="Petrova")

    before = User.objects.get(pk=staff.pk)
    meanwhile(act)
    rights = {"is_active": "on", "is_staff": "on", "is_superuser": "on"}
    response = admin.post(f"/admin/{page.format(pk=staff.pk)}", {**rights, **body})
    assert response.status_code == 302
    after = User.objects.get(pk=staff.pk)
    assert (after.first_name, after.password) != (before.first_name, before.password)
    assert after.last_name == "Petrova"
    assert after.invite_code != before.invite_code
    assert after.known_devices_key == staff.known_devices_key


def test_a_page_that_was_opened_before_undoes_nothing(
    admin: Client, alice: User
) -> None:
    page = f"/admin/users/user/{alice.pk}/change/"
    body = admin.get(page).content.decode()
    assert alice.password not in body
    shown = dict(re.findall(r'name="(initial-\w+)"(?: value="([^"]*)")?', body))
    move_account(alice, CLARA)
    update_profile(alice, email="alice@example.com")
    close_account(alice)
    response = admin.post(page, person_form(first_name="Alice", **shown))
    assert response.status_code == 302
    alice.refresh_from_db()
    assert (alice.phone_number, alice.email) == (CLARA, "alice@example.com")
    assert (alice.first_name, alice.is_active) == ("Alice", False)


def test_the_form_of_an_account_that_was_deleted_meanwhile_is_not_saved(
    admin: Client, alice: User, staff: User, meanwhile: Meanwhile
) -> None:
    meanwhile(lambda: delete_account(alice, by=staff))
    page = f"/admin/users/user/{alice.pk}/change/"
    assert admin.post(page, person_form(first_name="Alice")).status_code == 404


@pytest.fixture
def support(client: Client, boris: User) -> Client:
    """Somebody who may change and delete people, but is no superuser."""
    boris.is_staff = True
    boris.save()
    boris.user_permissions.set(Permission.objects.filter(content_type__model="user"))
    open_session(client, boris, backend=BY_PASSWORD)
    return client


def test_support_gives_nobody_rights(support: Client, alice: User, boris: User) -> None:
    for person in (alice, boris):
        body = person_form(
            phone_number=person.phone_number, is_staff="on", is_superuser="on"
        )
        support.post(f"/admin/users/user/{person.pk}/change/", body)
        person.refresh_from_db()
        assert not person.is_superuser
    assert not User.objects.get(pk=alice.pk).is_staff


@pytest.mark.parametrize("page", ["change/", "password/", "delete/"])
def test_support_does_not_touch_superusers(
    support: Client, staff: User, page: str
) -> None:
    body = {"post": "yes", "password1": "another pass", "password2": "another pass"}
    response = support.post(f"/admin/users/user/{staff.pk}/{page}", body)
    assert response.status_code == 403
    assert User.objects.get(pk=staff.pk).check_password("a long password")


def test_support_deletes_no_superuser_among_others(
    support: Client, staff: User, alice: User
) -> None:
    body = {
        "action": "delete_selected",
        "_selected_action": [alice.pk, staff.pk],
        "post": "yes",
    }
    response = support.post("/admin/users/user/", body)
    assert response.status_code == 403
    assert User.objects.filter(pk__in=[alice.pk, staff.pk]).count() == 2


def test_a_code_is_not_taken_for_digits_of_a_number(admin: Client) -> None:
    User.objects.create_user("+79991000712")
    body = admin.get("/admin/users/user/", {"q": "7Z1J2N"}).content.decode()
    assert "+79991000712" not in body


def test_the_history_of_changes_keeps_no_whole_number(
    admin: Client, alice: User
) -> None:
    body = person_form(first_name="A")
    admin.post(f"/admin/users/user/{alice.pk}/change/", body)
    assert [entry.object_repr for entry in LogEntry.objects.all()] == ["+7999•••••01"]
