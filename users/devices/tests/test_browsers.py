from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from conftest import ALICE, BORIS, STAFF, Clock, signed_in
from users.authentication import BY_PASSWORD
from users.channels.memory import Message
from users.devices.services import sign_out_everywhere
from users.devices.token_authentication import issue_token
from users.login.pages import CODE_BACKEND
from users.login.signing_in import SignedIn
from users.login.signing_in import sign_in as sign_in_by_code
from users.models import Device, User
from users.tests.pages import sign_in

pytestmark = pytest.mark.django_db


def test_sign_out_ends_this_browser_only(boris_browser: Client) -> None:
    boris = User.objects.get(phone_number=BORIS)
    phone = signed_in(boris)
    assert boris_browser.post("/logout/").status_code == 302
    assert boris_browser.get("/profile/").status_code == 302
    assert phone.get("/api/profile/").status_code == 200
    assert Device.objects.filter(user=boris).count() == 1


def test_sign_out_everywhere_ends_apps_and_browsers(boris_browser: Client) -> None:
    boris = User.objects.get(phone_number=BORIS)
    phone = signed_in(boris)
    boris_browser.post("/logout/everywhere/")
    assert boris_browser.get("/profile/").status_code == 302
    assert phone.get("/api/profile/").status_code == 401


def test_signing_out_elsewhere_ends_the_browser(boris_browser: Client) -> None:
    boris = User.objects.get(phone_number=BORIS)
    signed_in(boris).post("/api/auth/logout-all/")
    assert boris_browser.get("/profile/").status_code == 302
    assert "_auth_user_id" not in boris_browser.session


def test_closing_the_account_ends_the_browser(boris_browser: Client) -> None:
    User.objects.update(is_active=False)
    assert boris_browser.get("/profile/").status_code == 302


def test_browsers_of_staff_are_devices(client: Client, staff: User) -> None:
    sign_in_by_password(client, staff)
    assert client.get("/admin/").status_code == 200
    assert Device.objects.filter(user=staff).count() == 1
    sign_out_everywhere(staff)
    assert client.get("/admin/").status_code == 302


def test_signing_out_everywhere_ends_an_admin_session_that_was_not_used(
    client: Client, staff: User
) -> None:
    sign_in_by_password(client, staff)
    sign_out_everywhere(staff)
    assert client.get("/admin/").status_code == 302
    assert not Device.objects.exists()


@pytest.mark.parametrize("backend", [BY_PASSWORD, CODE_BACKEND])
def test_a_session_without_a_device_is_signed_out(
    client: Client, staff: User, backend: str
) -> None:
    client.force_login(staff, backend=backend)
    assert client.get("/admin/").status_code == 302
    assert client.get("/profile/").status_code == 302
    assert not Device.objects.exists()


def test_a_device_of_another_person_keeps_no_browser_signed_in(
    boris_browser: Client, alice: User
) -> None:
    session = boris_browser.session
    other, _token = issue_token(user=alice, user_agent="")
    session["device_id"] = other.pk
    session["device_random_id"] = str(other.random_id)
    session.save()
    assert boris_browser.get("/profile/").status_code == 302


def test_a_later_device_with_the_same_primary_key_keeps_no_browser_signed_in(
    boris_browser: Client,
) -> None:
    Device.objects.update(random_id=uuid4())
    assert boris_browser.get("/profile/").status_code == 302


def test_logout_ends_no_later_device_with_the_same_primary_key(
    boris_browser: Client,
) -> None:
    Device.objects.update(random_id=uuid4())
    boris_browser.post("/logout/")
    assert Device.objects.exists()


@pytest.mark.parametrize(("device_is_old", "status"), [(True, 200), (False, 302)])
def test_a_session_from_before_random_ids_is_for_a_device_from_before(
    boris_browser: Client, device_is_old: bool, status: int
) -> None:
    session = boris_browser.session
    del session["device_random_id"]
    session.save()
    if device_is_old:
        Device.objects.update(random_id=None)
    assert boris_browser.get("/profile/").status_code == status


def test_use_renews_the_browser(clock: Clock, boris_browser: Client) -> None:
    day = 24 * 3600
    for _ in range(3):
        clock.pass_seconds(60 * day)
        assert boris_browser.get("/profile/").status_code == 200
    clock.pass_seconds(90 * day)
    assert boris_browser.get("/profile/").status_code == 302


def test_use_keeps_a_browser_for_a_year(clock: Clock, boris_browser: Client) -> None:
    day = 24 * 3600
    for _ in range(6):
        clock.pass_seconds(60 * day)
        assert boris_browser.get("/profile/").status_code == 200
    clock.pass_seconds(5 * day)
    assert boris_browser.get("/profile/").status_code == 302


def sign_in_by_password(client: Client, staff: User) -> None:
    body = {"username": staff.phone_number, "password": "a long password"}
    assert client.post("/admin/login/", body).status_code == 302


def test_an_admin_session_that_is_not_used_ends_after_12_hours(
    client: Client, staff: User, clock: Clock
) -> None:
    sign_in_by_password(client, staff)
    clock.pass_seconds(12 * 3600)
    assert client.get("/admin/").status_code == 302


def test_use_keeps_an_admin_session_for_12_hours(
    client: Client, staff: User, clock: Clock
) -> None:
    sign_in_by_password(client, staff)
    for _ in range(11):
        clock.pass_seconds(3600)
        assert client.get("/admin/").status_code == 200
    clock.pass_seconds(3600)
    assert client.get("/admin/").status_code == 302
    assert client.get("/profile/").status_code == 302


def test_use_does_not_prolong_an_admin_session(
    client: Client, staff: User, clock: Clock, settings: LazySettings
) -> None:
    settings.ADMIN_SESSION_HOURS = 48
    sign_in_by_password(client, staff)
    for _ in range(47):
        clock.pass_seconds(3600)
        assert client.get("/admin/").status_code == 200
    clock.pass_seconds(3600)
    assert client.get("/admin/").status_code == 302


def test_an_admin_session_ends_with_any_other_session_at_the_latest(
    client: Client, staff: User, clock: Clock, settings: LazySettings
) -> None:
    settings.ADMIN_SESSION_HOURS, settings.SESSION_MAX_DAYS = 48, 1
    sign_in_by_password(client, staff)
    assert Device.objects.get().expires_at == timezone.now() + timedelta(days=1)


def test_a_password_gives_a_session_opened_with_a_code_a_device_of_its_own(
    client: Client, staff: User, clock: Clock, outbox: list[Message]
) -> None:
    sign_in(client, STAFF, outbox)
    (before,) = Device.objects.all()
    sign_in_by_password(client, staff)
    (device,) = Device.objects.all()
    assert device.random_id != before.random_id
    assert device.expires_at == timezone.now() + timedelta(hours=12)


def test_an_admin_session_from_before_its_limit_is_signed_out(
    client: Client, staff: User, clock: Clock
) -> None:
    sign_in_by_password(client, staff)
    session = client.session
    del session["device_backend"]
    session.save()
    Device.objects.update(expires_at=timezone.now() + timedelta(days=90))
    assert client.get("/admin/").status_code == 302


def test_no_token_reaches_the_browser(
    client: Client, outbox: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    issued: list[str] = []

    def remember(**kwargs: Any) -> SignedIn:
        signed_in = sign_in_by_code(**kwargs)
        issued.append(signed_in.token)
        return signed_in

    monkeypatch.setattr("users.login.signing_in.sign_in", remember)
    page = sign_in(client, ALICE, outbox)
    (secret,) = issued
    assert secret not in page.content.decode()
    assert secret not in str(client.cookies)
    assert secret not in str(dict(client.session))
    assert client.cookies["known_device"]["httponly"]
