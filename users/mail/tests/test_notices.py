from typing import Any

import pytest
from django.conf import LazySettings
from django.core.mail import EmailMessage
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, CLARA, Clock, ask_for_code, signed_in
from users.mail import notices
from users.mail.tests.conftest import PUBLIC_URL
from users.models import User, VerifiedEmail
from users.phone_change.services import move_account

VERIFY = "/api/auth/verify-code/"

# E-mails are sent after the commit.
pytestmark = pytest.mark.django_db(transaction=True)

Emails = list[EmailMessage]


@pytest.fixture
def reader(alice: User) -> User:
    """Alice, who has confirmed her e-mail."""
    User.objects.filter(pk=alice.pk).update(email="alice@example.com")
    VerifiedEmail.objects.create(user=alice, email="alice@example.com", language="en")
    alice.refresh_from_db()
    return alice


def sign_in(phone_number: str, device_token: str = "", agent: str = "") -> Any:
    api = APIClient()
    sent = {"device_token": device_token} if device_token else {}
    body = {
        "phone_number": phone_number,
        "code": ask_for_code(api, phone_number, **sent),
        **sent,
    }
    response = api.post(VERIFY, body, headers={"User-Agent": agent})
    assert response.status_code == 200
    return response.json()


def body_of(email: EmailMessage) -> str:
    """As one line. No e-mail contains a whole number."""
    text = f"{email.subject} {email.body}"
    for number in (ALICE, BORIS, CLARA):
        assert number not in text
        assert number[2:] not in text
    return " ".join(text.split())


def test_only_a_new_device_causes_a_notice(
    clock: Clock, reader: User, mailoutbox: Emails
) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
    known = sign_in(ALICE, agent=agent)["device_token"]
    [email] = mailoutbox
    assert email.to == ["alice@example.com"]
    text = body_of(email)
    assert text.startswith("New sign-in to your account Somebody signed in")
    assert "Firefox, Linux" in text
    assert "21 November 2026, 12:00 (UTC)" in text
    assert f"{PUBLIC_URL}/profile/devices/" in text
    clock.pass_seconds(3600)
    sign_in(ALICE, device_token=known)
    assert len(mailoutbox) == 1


def test_what_a_device_calls_itself_is_one_short_line(
    reader: User, mailoutbox: Emails
) -> None:
    sign_in(ALICE, agent="Win money\u2028at evil.example " + "x" * 100)
    name = str(mailoutbox[0].body).split("new device: ")[1].split(". Time")[0]
    assert len(name) <= 60
    assert len(name.splitlines()) == 1


def test_a_changed_number_causes_a_notice(reader: User, mailoutbox: Emails) -> None:
    client = signed_in(reader)
    body = {"phone_number": BORIS}
    codes = client.post("/api/profile/phone/request-code/", body).json()
    body |= {name: codes[name]["dev_code"] for name in ("old_code", "new_code")}
    assert client.post("/api/profile/phone/", body).status_code == 200
    [email] = mailoutbox
    assert email.subject == "Your phone number was changed"
    assert f"was changed to {BORIS.masked}, and" in body_of(email)


@pytest.mark.parametrize("new", ["", "thief@example.com"])
def test_a_changed_email_causes_a_last_notice_to_the_old_one(
    reader: User, mailoutbox: Emails, new: str
) -> None:
    VerifiedEmail.objects.update(language="ru")
    client = signed_in(reader)
    client.patch("/api/profile/", {"first_name": "Alice"})
    assert mailoutbox == []
    assert client.patch("/api/profile/", {"email": new}).status_code == 200
    [told] = [email for email in mailoutbox if email.to == ["alice@example.com"]]
    assert told.subject == "Адрес почты вашего аккаунта сменили"
    assert body_of(told).endswith(f"{PUBLIC_URL}/profile/")
    assert "thief" not in body_of(told)


@pytest.mark.parametrize("why", ["off", "not confirmed", "another e-mail"])
def test_only_a_confirmed_email_gets_a_last_notice(
    reader: User, mailoutbox: Emails, settings: LazySettings, why: str
) -> None:
    if why == "off":
        settings.EMAIL_NOTICES = False
    elif why == "not confirmed":
        VerifiedEmail.objects.all().delete()
    else:  # staff changed it since
        User.objects.filter(pk=reader.pk).update(email="new@example.com")
    signed_in(reader).patch("/api/profile/", {"email": ""})
    assert mailoutbox == []


def test_an_inviter_gets_a_few_notices_a_day(
    reader: User, mailoutbox: Emails, clock: Clock
) -> None:
    for number in range(5):
        person = User.objects.create_user(f"+7999200000{number}")
        body = {"invite_code": reader.invite_code}
        for _ in range(2):  # the same code again is no second activation
            assert signed_in(person).post("/api/profile/", body).status_code == 200
    assert len(mailoutbox) == 3
    assert mailoutbox[0].subject == "Somebody has activated your invite code"
    text = body_of(mailoutbox[0])
    assert "+7999•••••00 has activated your invite code. Your profile" in text
    assert f"{PUBLIC_URL}/profile/ " in text
    assert f"remove the address from the profile: {PUBLIC_URL}/profile/edit/" in text
    clock.pass_seconds(27 * 3600)
    person = User.objects.create_user(CLARA)
    signed_in(person).post("/api/profile/", {"invite_code": reader.invite_code})
    assert len(mailoutbox) == 4


def test_an_activation_at_sign_in_causes_a_notice(
    reader: User, mailoutbox: Emails
) -> None:
    api = APIClient()
    code = ask_for_code(api, BORIS)
    body = {"phone_number": BORIS, "code": code, "invite_code": reader.invite_code}
    assert api.post(VERIFY, body).json()["invite_code_applied"]
    [email] = mailoutbox
    assert email.subject == "Somebody has activated your invite code"


def test_an_email_is_in_the_language_of_the_reader(
    reader: User, mailoutbox: Emails
) -> None:
    VerifiedEmail.objects.update(language="ru")
    sign_in(ALICE)
    assert mailoutbox[0].subject == "Новый вход в ваш аккаунт"


@pytest.mark.parametrize("why", ["off", "not confirmed", "another e-mail", "closed"])
def test_only_confirmed_emails_get_notices(
    reader: User,
    boris: User,
    staff: User,
    mailoutbox: Emails,
    settings: LazySettings,
    why: str,
) -> None:
    if why == "off":
        settings.EMAIL_NOTICES = False
    elif why == "not confirmed":
        VerifiedEmail.objects.all().delete()
    elif why == "another e-mail":
        User.objects.filter(pk=reader.pk).update(email="new@example.com")
    elif why == "closed":
        User.objects.filter(pk=reader.pk).update(is_active=False)
    if why != "closed":
        sign_in(ALICE)
    signed_in(boris).post("/api/profile/", {"invite_code": reader.invite_code})
    reader.refresh_from_db()
    move_account(reader, CLARA, by=staff)
    assert mailoutbox == []


def test_sign_in_reads_no_verified_email_if_notices_are_off(
    alice: User, settings: LazySettings
) -> None:
    settings.EMAIL_NOTICES = False
    api = APIClient()
    body = {"phone_number": ALICE, "code": ask_for_code(api, ALICE)}
    with CaptureQueriesContext(connection) as queries:
        assert api.post(VERIFY, body).status_code == 200
    assert not [q for q in queries if "verifiedemail" in q["sql"]]


@pytest.mark.parametrize("act", ["sign in", "change the number", "activate"])
def test_a_notice_that_fails_refuses_nothing(
    alice: User,
    boris: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    act: str,
) -> None:
    """All is committed by then, and who is refused would have lost the new token."""

    def fail(user_id: int) -> None:
        raise DatabaseError("canceling statement due to statement timeout")

    client = signed_in(alice)
    body: dict[str, str] = {"phone_number": CLARA}
    if act == "change the number":
        codes = client.post("/api/profile/phone/request-code/", body).json()
        body |= {name: codes[name]["dev_code"] for name in ("old_code", "new_code")}
    monkeypatch.setattr(notices, "_recipient", fail)
    if act == "sign in":
        sign_in(ALICE)
    elif act == "change the number":
        response = client.post("/api/profile/phone/", body)
        assert response.json()["token"]
    else:
        body = {"invite_code": boris.invite_code}
        assert client.post("/api/profile/", body).status_code == 200
    assert "Error calling notify_" in caplog.text
    assert ALICE not in caplog.text
    assert CLARA not in caplog.text
