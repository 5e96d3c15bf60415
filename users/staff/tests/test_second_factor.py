"""The second step of signing in to the admin site."""

import re
from base64 import b32decode
from io import StringIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.env import Limit
from conftest import ALICE, BORIS, STAFF, Clock, open_session
from users.devices.services import sign_out_everywhere
from users.models import Device, User
from users.staff import second_factor
from users.staff.admin_site import BY_PASSWORD
from users.tests.test_audit import Trail, trail

__all__ = ["trail"]

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/?next=/admin/users/user/"
CODE = "/admin/second-factor/"
SET_UP = "/admin/second-factor/set-up/"
PASSWORD = "a long password"


@pytest.fixture(autouse=True)
def second_factor_is_on(settings: LazySettings) -> None:
    settings.ADMIN_SECOND_FACTOR = True


def give_password(client: Client, password: str = PASSWORD) -> Any:
    return client.post(LOGIN, {"username": STAFF, "password": password})


def key_on(page: Any) -> bytes:
    """What somebody types into the app who cannot scan."""
    shown = re.search(r"<code>([A-Z2-7 ]+)</code>", page.content.decode())
    assert shown, page.content.decode()
    return b32decode(shown[1].replace(" ", ""))


def code_of(key: bytes) -> str:
    return f"{totp(key):06}"


def codes_on(page: Any) -> list[str]:
    shown = re.search(r"<textarea[^>]*>([^<]+)<", page.content.decode())
    assert shown, page.content.decode()
    return re.split(r"&#10;|\s+", shown[1].strip())


def set_up(client: Client) -> tuple[bytes, list[str]]:
    """The app's key and the backup codes. Signs the client in."""
    give_password(client)
    key = key_on(client.get(SET_UP))
    page = client.post(SET_UP, {"code": code_of(key)})
    return key, codes_on(page)


def is_in(client: Client) -> bool:
    return client.get("/admin/users/user/").status_code == 200


def test_the_first_sign_in_sets_it_up(client: Client, staff: User) -> None:
    answer = give_password(client)
    assert answer["Location"] == CODE
    assert client.get(CODE)["Location"] == SET_UP
    page = client.get(SET_UP)
    assert "<svg" in page.content.decode()
    assert not is_in(client)
    done = client.post(SET_UP, {"code": code_of(key_on(page))})
    assert len(set(codes_on(done))) == 10
    assert 'href="/admin/users/user/"' in done.content.decode()
    assert is_in(client)
    assert Device.objects.of_user(staff).count() == 1


def test_afterwards_the_app_s_code_is_asked_for(
    client: Client, staff: User, clock: Clock
) -> None:
    key, _ = set_up(client)
    client.post("/admin/logout/")
    clock.pass_seconds(30)
    assert give_password(client)["Location"] == CODE
    assert client.get(SET_UP)["Location"] == CODE
    assert not is_in(client)
    code = code_of(key)
    answer = client.post(CODE, {"code": f" {code[:3]} {code[3:]}"})
    assert answer["Location"] == "/admin/users/user/"
    assert is_in(client)


def test_a_code_of_the_app_works_once(
    client: Client, staff: User, clock: Clock
) -> None:
    key, _ = set_up(client)
    client.logout()
    give_password(client)
    assert "The code is wrong." in _text(client.post(CODE, {"code": code_of(key)}))
    clock.pass_seconds(30)
    assert client.post(CODE, {"code": code_of(key)}).status_code == 302
    client.logout()
    give_password(client)
    assert client.post(CODE, {"code": code_of(key)}).status_code == 200
    assert not is_in(client)


def test_a_backup_code_works_once(client: Client, staff: User) -> None:
    _, codes = set_up(client)
    for is_right in (True, False):
        client.logout()
        give_password(client)
        client.post(CODE, {"code": codes[0].upper()})
        assert is_in(client) is is_right
    assert StaticToken.objects.count() == 9


def test_a_backup_code_of_another_person_is_wrong(client: Client, staff: User) -> None:
    _, codes = set_up(Client())
    set_up_for_boris()
    client.post("/admin/login/", {"username": BORIS, "password": PASSWORD})
    client.post(CODE, {"code": codes[0]})
    assert not is_in(client)


def set_up_for_boris() -> User:
    boris = User.objects.create_superuser(BORIS, PASSWORD)
    app = second_factor.new_app(boris)
    second_factor.set_up(app, code_of(app.bin_key))
    return boris


@pytest.mark.parametrize("code", ["", "000000x", "١٢٣٤٥٦", "-1", "9" * 40, "\x00"])
def test_what_is_no_code_is_refused(client: Client, staff: User, code: str) -> None:
    give_password(client)
    assert client.post(SET_UP, {"code": code}).status_code == 200
    set_up(client)
    client.logout()
    give_password(client)
    assert client.post(CODE, {"code": code}).status_code == 200
    assert not is_in(client)


def test_a_session_by_password_alone_is_not_enough(client: Client, staff: User) -> None:
    open_session(client, staff, backend=BY_PASSWORD)
    for page in ("", "users/user/", "dashboard/", "password_change/", "jsi18n/"):
        answer = client.get(f"/admin/{page}")
        assert answer["Location"].startswith("/admin/login/"), page


def test_the_password_alone_signs_nobody_in(client: Client, staff: User) -> None:
    give_password(client)
    assert client.get("/profile/").status_code == 302
    assert not Device.objects.exists()


def test_without_the_password_there_is_no_second_step(
    client: Client, staff: User
) -> None:
    give_password(client, "wrong")
    for page in (CODE, SET_UP):
        assert client.get(page)["Location"] == "/admin/login/"
        assert client.post(page, {"code": "1"})["Location"] == "/admin/login/"


@pytest.mark.parametrize("page", [CODE, SET_UP])
def test_the_second_step_waits_ten_minutes(
    client: Client, staff: User, clock: Clock, page: str
) -> None:
    give_password(client)
    clock.pass_seconds(601)
    assert client.get(page)["Location"] == "/admin/login/"


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"is_staff": False}, {"password": "other"}]
)
def test_the_second_step_ends_with_the_right_to_it(
    client: Client, staff: User, change: dict[str, Any]
) -> None:
    give_password(client)
    User.objects.filter(pk=staff.pk).update(**change)
    assert client.get(SET_UP)["Location"] == "/admin/login/"


@pytest.mark.parametrize("page", [CODE, SET_UP])
def test_signing_out_everywhere_ends_the_second_step(
    client: Client, staff: User, page: str
) -> None:
    give_password(client)
    sign_out_everywhere(staff)
    assert client.get(page)["Location"] == "/admin/login/"


def test_signing_out_everywhere_ends_a_session_that_was_not_used(
    client: Client, staff: User
) -> None:
    _, codes = set_up(client)
    for browser in (client, Client()):  # after the set-up, and after a code
        if browser is not client:
            give_password(browser)
            assert browser.post(CODE, {"code": codes[0]}).status_code == 302
        sign_out_everywhere(staff)
        assert not is_in(browser)


def test_each_browser_is_shown_a_key_of_its_own(client: Client, staff: User) -> None:
    """Or a thief of the password could read the key that the owner then sets up."""
    give_password(client)
    owner = Client()
    give_password(owner)
    keys = [key_on(browser.get(SET_UP)) for browser in (client, client, owner, owner)]
    assert keys[0] == keys[1]
    assert keys[2] == keys[3]
    assert keys[0] != keys[2]


def test_of_two_who_know_the_password_one_sets_it_up(
    client: Client, staff: User
) -> None:
    give_password(client)
    key = key_on(client.get(SET_UP))
    set_up(Client())
    answer = client.post(SET_UP, {"code": code_of(key)})
    assert answer["Location"] == CODE
    assert TOTPDevice.objects.count() == 1
    assert not is_in(client)


def test_two_who_set_it_up_at_once_are_told_apart(staff: User) -> None:
    apps = [second_factor.new_app(staff) for _ in range(2)]
    second_factor.set_up(apps[0], code_of(apps[0].bin_key))
    with pytest.raises(second_factor.SecondFactorExists):
        second_factor.set_up(apps[1], code_of(apps[1].bin_key))


def test_wrong_codes_are_limited_and_right_ones_cost_nothing(
    client: Client, staff: User, settings: LazySettings, clock: Clock
) -> None:
    limit = {"second_factor_guesses_per_phone": Limit(2, 3600)}
    settings.LIMITS = {**settings.LIMITS, **limit}
    key, codes = set_up(client)
    for _ in range(3):
        client.logout()
        clock.pass_seconds(30)
        give_password(client)
        assert client.post(CODE, {"code": code_of(key)}).status_code == 302
    client.logout()
    give_password(client)
    for _ in range(2):
        assert "The code is wrong." in _text(client.post(CODE, {"code": "1"}))
    assert "Too many requests" in _text(client.post(CODE, {"code": codes[0]}))
    assert not is_in(client)
    assert StaticToken.objects.count() == 10


def test_removing_it_ends_the_session_and_asks_anew(
    client: Client, staff: User
) -> None:
    set_up(client)
    out = StringIO()
    call_command("reset_second_factor", "8 (999) 000-00-09", stdout=out)
    assert "Removed." in out.getvalue()
    assert not is_in(client)
    give_password(client)
    assert client.get(CODE)["Location"] == SET_UP


@pytest.mark.parametrize("number", [ALICE, BORIS, "12"])
def test_there_is_nothing_to_remove(alice: User, number: str) -> None:
    with pytest.raises(CommandError):
        call_command("reset_second_factor", number)


def test_a_superuser_removes_it_for_somebody_else(client: Client, staff: User) -> None:
    set_up(client)
    boris = set_up_for_boris()
    page = f"/admin/users/user/{boris.pk}/change/"
    assert "Remove the second step" in _text(client.get(page))
    url = f"/admin/users/user/{boris.pk}/reset-second-factor/"
    assert client.post(url)["Location"] == page
    assert not second_factor.is_set_up(boris)
    assert second_factor.is_set_up(staff)


def test_a_second_factor_does_not_open_the_site_to_a_code_by_sms(
    client: Client, staff: User
) -> None:
    set_up(client)
    session = client.session
    session["_auth_user_backend"] = "users.authentication.CodeBackend"
    session.save()
    assert not is_in(client)


def test_the_setting_off_asks_for_the_password_only(
    client: Client, staff: User, settings: LazySettings
) -> None:
    settings.ADMIN_SECOND_FACTOR = False
    assert give_password(client)["Location"] == "/admin/users/user/"
    assert is_in(client)


@pytest.mark.parametrize(
    "next_url", ["x", "profile-delete", "admin:index", "https://evil.example/"]
)
def test_the_second_step_leads_only_to_a_path(
    client: Client, staff: User, clock: Clock, next_url: str
) -> None:
    key, _ = set_up(client)
    client.logout()
    clock.pass_seconds(30)
    body = {"username": STAFF, "password": PASSWORD, "next": next_url}
    client.post("/admin/login/", body)
    assert client.post(CODE, {"code": code_of(key)})["Location"] == "/admin/"
    assert is_in(client)


def test_the_password_alone_leads_only_to_a_path(
    client: Client, staff: User, settings: LazySettings
) -> None:
    settings.ADMIN_SECOND_FACTOR = False
    body = {"username": STAFF, "password": PASSWORD, "next": "x"}
    assert client.post("/admin/login/", body)["Location"] == "/admin/"


def test_nobody_is_sent_to_another_site(client: Client, staff: User) -> None:
    body = {"username": STAFF, "password": PASSWORD}
    client.post("/admin/login/?next=https://evil.example/", body)
    key = key_on(client.get(SET_UP))
    assert "evil" not in _text(client.post(SET_UP, {"code": code_of(key)}))


def test_its_pages_are_kept_by_no_cache_and_need_a_token_of_the_form(
    staff: User,
) -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.get("/admin/login/")
    token = client.cookies["csrftoken"].value
    body = {"username": STAFF, "password": PASSWORD, "csrfmiddlewaretoken": token}
    client.post("/admin/login/", body)
    page = client.get(SET_UP)
    assert "no-store" in page["Cache-Control"]
    assert not re.search(r"<style|<script(?! src)|\son\w+=|\sstyle=", _text(page))
    assert client.post(SET_UP, {"code": "1"}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_every_step_is_on_the_trail(staff: User, trail: Trail) -> None:
    client = Client(REMOTE_ADDR="203.0.113.7")
    give_password(client, "wrong")
    key, codes = set_up(client)
    client.logout()
    give_password(client)
    client.post(CODE, {"code": "000"})
    client.post(CODE, {"code": codes[0]})
    told = [
        (line["event"], line["user"], line["address"])
        for line in trail.lines
        if line["event"].startswith(("password.", "second_factor."))
    ]
    out = StringIO()
    call_command("address_key", "203.0.113.7", stdout=out)
    address = out.getvalue().split()[0]
    assert told == [
        ("password.wrong", staff.pk, address),
        ("password.right", staff.pk, address),
        ("second_factor.added", staff.pk, address),
        ("password.right", staff.pk, address),
        ("second_factor.wrong", staff.pk, address),
        ("second_factor.right", staff.pk, address),
    ]
    for secret in (*codes, key.hex(), PASSWORD, STAFF):
        assert secret not in trail.text


def _text(page: Any) -> str:
    text: str = page.content.decode()
    return text
