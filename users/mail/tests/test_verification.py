import logging
import re
from threading import BoundedSemaphore
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.mail import EmailMessage
from django.test import Client
from redis.exceptions import RedisError
from rest_framework.test import APIClient

from conftest import (
    ALICE,
    BORIS,
    Clock,
    ask_for_code,
    error_of,
    open_session,
    signed_in,
)
from users.channels.memory import Message
from users.mail import sending, services
from users.mail.checks import email_can_be_sent
from users.mail.tests.conftest import PUBLIC_URL
from users.models import User, VerifiedEmail
from users.tests.pages import sign_in, text

PROFILE, SEND, VERIFY = (
    "/api/profile/",
    "/api/profile/email/",
    "/api/profile/email/verify/",
)
CONFIRM = "/profile/email/confirm/"
EMAIL = "alice@example.com"

# E-mails are sent after the commit.
pytestmark = pytest.mark.django_db(transaction=True)

Emails = list[EmailMessage]


def key_in(email: EmailMessage) -> str:
    found = re.search(rf"{PUBLIC_URL}{CONFIRM}\?key=(\S+)", str(email.body))
    assert found
    return found[1].replace("%3A", ":")


def with_email(user: User, emails: Emails) -> tuple[APIClient, str]:
    """The person with an e-mail in the profile, and the key that was sent there."""
    client = signed_in(user)
    assert client.patch(PROFILE, {"email": EMAIL}).status_code == 200
    return client, key_in(emails[-1])


def test_saving_an_email_sends_a_link(alice: User, mailoutbox: Emails) -> None:
    body = {"email": EMAIL, "first_name": "Alice"}
    answer = signed_in(alice).patch(PROFILE, body)
    assert answer.json()["email_verified"] is False
    [email] = mailoutbox
    assert (email.to, email.from_email) == ([EMAIL], "service@example.com")
    assert email.subject == "Confirm your e-mail"
    assert email.extra_headers["Auto-Submitted"] == "auto-generated"
    assert ALICE not in str(email.body)
    assert "Alice" not in str(email.body)


def test_an_address_adds_no_header_and_no_recipient(
    alice: User, mailoutbox: Emails
) -> None:
    client = signed_in(alice)
    for address in (
        f"{EMAIL}\nBcc: boris@example.com",
        f"{EMAIL}\r\n\r\nWin money",
        f"{EMAIL}, boris@example.com",
        f"Boris <{EMAIL}>",
    ):
        response = client.patch(PROFILE, {"email": address})
        assert response.status_code == 400
        assert error_of(response)["attr"] == "email"
    assert mailoutbox == []


def test_the_key_shows_neither_account_nor_email(
    alice: User, mailoutbox: Emails
) -> None:
    _client, key = with_email(alice, mailoutbox)
    assert re.fullmatch(r"email:\w{6}:[\w-]{43}", key)


def test_the_email_is_in_the_language_of_the_request(
    alice: User, mailoutbox: Emails
) -> None:
    headers = {"Accept-Language": "ru"}
    signed_in(alice).patch(PROFILE, {"email": EMAIL}, headers=headers)
    assert mailoutbox[0].subject == "Подтвердите адрес почты"


@pytest.mark.parametrize("body", [{"email": EMAIL}, {"first_name": "A"}, {"email": ""}])
def test_no_link_is_sent_where_the_email_is_not_new(
    alice: User, mailoutbox: Emails, body: dict[str, str]
) -> None:
    client, _key = with_email(alice, mailoutbox)
    client.patch(PROFILE, body)
    assert len(mailoutbox) == 1


def test_an_app_confirms_with_the_key(
    alice: User, mailoutbox: Emails, records: list[dict[str, Any]]
) -> None:
    client, key = with_email(alice, mailoutbox)
    for _ in range(2):
        answer = client.post(VERIFY, {"key": key}, headers={"Accept-Language": "ru"})
        assert answer.status_code == 200
        assert answer.json() == {"email": EMAIL, "email_verified": True}
    assert client.get(PROFILE).json()["email_verified"] is True
    row = VerifiedEmail.objects.get()
    assert (row.user, row.email, row.language) == (alice, EMAIL, "ru")
    assert [record["event"] for record in records] == [
        "email.link_sent",
        "email.verified",
        "email.verified",
    ]
    assert EMAIL not in str(records)
    assert key not in str(records)


def test_a_sign_in_says_whether_the_email_is_confirmed(
    alice: User, api: APIClient, mailoutbox: Emails
) -> None:
    client, key = with_email(alice, mailoutbox)
    client.post(VERIFY, {"key": key})
    body = {"phone_number": ALICE, "code": ask_for_code(api, ALICE)}
    user = api.post("/api/auth/verify-code/", body).json()["user"]
    assert user["email_verified"] is True


def test_a_page_confirms_after_a_button(
    client: Client, alice: User, mailoutbox: Emails, notices_are_on: LazySettings
) -> None:
    open_session(client, alice)
    client.post("/profile/edit/", {"email": EMAIL})
    profile = client.get("/profile/")
    assert "Not confirmed yet. To confirm it, open the link" in text(profile)
    url = re.search(rf"{PUBLIC_URL}(\S+)", str(mailoutbox[0].body))
    assert url
    page = client.get(url[1])
    assert f"Is {EMAIL} your e-mail address?" in text(page)
    assert not VerifiedEmail.objects.exists()
    page = client.post(CONFIRM, {"key": key_in(mailoutbox[0])}, follow=True)
    assert "Your e-mail has been confirmed." in text(page)
    assert "Confirmed" in text(page)
    assert "Send a new link" not in text(page)


def test_the_link_needs_a_sign_in_and_comes_back_after_it(
    client: Client, boris: User, mailoutbox: Emails, outbox: list[Message]
) -> None:
    _app, key = with_email(boris, mailoutbox)
    response = client.get(CONFIRM, {"key": key}, follow=True)
    assert response.request["PATH_INFO"] == "/login/"
    next_url = response.request["QUERY_STRING"]
    client.post(f"/login/?{next_url}", {"phone_number": BORIS})
    code = re.search(r"\d{4,8}", outbox[-1].text)
    assert code
    page = client.post("/login/code/", {"code": code[0]}, follow=True)
    assert f"Is {EMAIL} your e-mail address?" in text(page)
    assert not VerifiedEmail.objects.exists()


def test_a_link_is_valid_for_a_day(
    clock: Clock, alice: User, mailoutbox: Emails
) -> None:
    client, key = with_email(alice, mailoutbox)
    clock.pass_seconds(24 * 3600 + 1)
    response = client.post(VERIFY, {"key": key})
    assert response.status_code == 400
    error = error_of(response)
    assert (error["code"], error["attr"]) == ("email_link_invalid", "key")
    assert not VerifiedEmail.objects.exists()


@pytest.mark.parametrize("key", ["", "x", "email:1:x", "\u0416", None])
def test_a_made_up_key_confirms_nothing(
    client: Client, alice: User, mailoutbox: Emails, key: str | None
) -> None:
    with_email(alice, mailoutbox)
    open_session(client, alice)
    for page in (
        client.get(CONFIRM, {} if key is None else {"key": key}),
        client.post(CONFIRM, {} if key is None else {"key": key}),
    ):
        assert page.status_code == 400
        assert "This link is not valid" in text(page)
    assert not VerifiedEmail.objects.exists()


def test_a_link_confirms_nothing_for_another_account(
    alice: User, boris: User, mailoutbox: Emails
) -> None:
    _alice, key = with_email(alice, mailoutbox)
    other, _key = with_email(boris, mailoutbox)
    response = other.post(VERIFY, {"key": key})
    assert error_of(response)["code"] == "email_link_invalid"
    assert not VerifiedEmail.objects.exists()


def test_a_link_confirms_nothing_but_the_email_it_was_sent_to(
    alice: User, mailoutbox: Emails
) -> None:
    client, key = with_email(alice, mailoutbox)
    client.patch(PROFILE, {"email": "other@example.com"})
    response = client.post(VERIFY, {"key": key})
    assert error_of(response)["code"] == "email_link_invalid"


def test_a_new_email_is_not_confirmed_and_the_old_one_forgotten(
    alice: User, mailoutbox: Emails
) -> None:
    client, key = with_email(alice, mailoutbox)
    client.post(VERIFY, {"key": key})
    answer = client.patch(PROFILE, {"email": "other@example.com"})
    assert answer.json()["email_verified"] is False
    assert not VerifiedEmail.objects.exists()


def test_an_email_that_staff_changed_is_not_confirmed(
    alice: User, mailoutbox: Emails
) -> None:
    client, key = with_email(alice, mailoutbox)
    client.post(VERIFY, {"key": key})
    User.objects.update(email="other@example.com")
    assert client.get(PROFILE).json()["email_verified"] is False


def test_another_link_is_sent_if_asked_for(
    client: Client, alice: User, mailoutbox: Emails
) -> None:
    app, key = with_email(alice, mailoutbox)
    answer = app.post(SEND)
    assert (answer.status_code, answer.json()["email_verified"]) == (200, False)
    open_session(client, alice)
    page = client.post("/profile/email/", follow=True)
    assert "We have sent you a link." in text(page)
    assert len(mailoutbox) == 3
    app.post(VERIFY, {"key": key})
    assert app.post(SEND).json() == {"email": EMAIL, "email_verified": True}
    assert len(mailoutbox) == 3


def test_an_email_that_is_saved_is_no_failure_without_a_link(
    alice: User, mailoutbox: Emails, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the same request again would find the e-mail saved and send no link."""

    def fail(*wanted: object) -> None:
        raise RedisError

    monkeypatch.setattr(services, "reserve", fail)
    response = signed_in(alice).patch(PROFILE, {"email": EMAIL})
    assert (response.status_code, response.json()["email"]) == (200, EMAIL)
    assert response.json()["email_link_sent"] is False
    assert mailoutbox == []


def test_links_of_a_person_are_limited(
    client: Client, alice: User, mailoutbox: Emails
) -> None:
    app = signed_in(alice)
    for number in range(6):
        body = {"email": f"{number}@example.com"}
        assert app.patch(PROFILE, body).status_code == 200
    assert len(mailoutbox) == 5
    response = app.post(SEND)
    assert response.status_code == 429
    assert error_of(response)["limit"] == "email_links_per_user"
    open_session(client, alice)
    page = client.post("/profile/email/", follow=True)
    assert "Too many requests." in text(page)


def use_up_mailbox(spelling: str = EMAIL) -> APIClient:
    """Strangers have asked for all links of the mailbox. Returns the last of them."""
    for number in range(3):
        stranger = signed_in(User.objects.create_user(f"+7999200000{number}"))
        body = {"email": spelling.format(number)}
        stranger.patch(PROFILE, body)
        stranger.post(SEND)
    return stranger


def test_links_to_one_email_are_limited_over_all_accounts(
    db: None, mailoutbox: Emails
) -> None:
    stranger = use_up_mailbox()
    assert len(mailoutbox) == 6  # the last two links of somebody new
    response = stranger.post(SEND)
    assert error_of(response)["limit"] == "email_links_per_email_address"
    assert len(mailoutbox) == 6


@pytest.mark.parametrize(
    "spelling",
    [
        "alice+{}@example.com",
        "Alice+{}@EXAMPLE.com",
        "a.l.i.c.e+{}@example.com",
        "alice+{}@\uff45xample.com",
        "alice+{}@exam\u00adple.com",
    ],
)
def test_other_spellings_of_an_email_share_its_limit(
    alice: User, mailoutbox: Emails, spelling: str
) -> None:
    use_up_mailbox(spelling)
    app = signed_in(alice)
    for number, is_sent in enumerate([True, True, False]):
        email = spelling.format(number) if number else EMAIL
        answer = app.patch(PROFILE, {"email": email}).json()
        assert answer["email_link_sent"] is is_sent


def test_strangers_do_not_use_up_the_links_of_a_mailbox(
    client: Client, alice: User, mailoutbox: Emails
) -> None:
    use_up_mailbox()
    app, key = with_email(alice, mailoutbox)
    answer = app.post(VERIFY, {"key": key})
    assert answer.json() == {"email": EMAIL, "email_verified": True}


@pytest.mark.parametrize(
    ("body", "is_sent"),
    [
        ({"email": EMAIL}, True),
        ({"email": ""}, None),
        ({"first_name": "A"}, None),
        ({"email": "old@example.com"}, None),
    ],
)
def test_saving_an_email_says_whether_a_link_was_sent(
    alice: User, mailoutbox: Emails, body: dict[str, str], is_sent: bool | None
) -> None:
    User.objects.filter(pk=alice.pk).update(email="old@example.com")
    answer = signed_in(alice).patch(PROFILE, body).json()
    assert answer.get("email_link_sent") is is_sent
    assert "email_link_sent" not in signed_in(alice).get(PROFILE).json()


def test_an_email_that_was_confirmed_before_needs_no_link(
    alice: User, mailoutbox: Emails
) -> None:
    app, key = with_email(alice, mailoutbox)
    app.post(VERIFY, {"key": key})
    User.objects.update(email="other@example.com")  # by staff
    answer = app.patch(PROFILE, {"email": EMAIL}).json()
    assert answer["email_verified"] is True
    assert "email_link_sent" not in answer


def test_people_are_told_that_no_link_was_sent(
    client: Client, alice: User, mailoutbox: Emails
) -> None:
    open_session(client, alice)
    for number in range(6):
        body = {"email": f"{number}@example.com"}
        page = client.post("/profile/edit/", body, follow=True)
        told = "We cannot send a link to confirm your e-mail now." in text(page)
        assert told is (number == 5)
    assert "or ask for a new one" in text(page)


@pytest.mark.parametrize(
    "spelling",
    [
        '"alice"@example.com',
        '"a\\lice"@example.com',
        "=?utf-8?q?alice?=@example.com",
        "=?utf-8?b?YWxpY2U=?=@example.com",
        "\u017falice@example.com",
        "alice@[127.0.0.1]",
    ],
)
def test_an_email_that_is_read_as_another_one_is_refused(
    client: Client, alice: User, admin: Client, mailoutbox: Emails, spelling: str
) -> None:
    response = signed_in(alice).patch(PROFILE, {"email": spelling})
    assert response.status_code == 400
    assert error_of(response)["code"] == "invalid"
    page = admin.post("/profile/edit/", {"email": spelling})
    assert page.status_code == 400
    assert "Enter a valid email address." in text(page)
    assert mailoutbox == []


def test_an_email_that_cannot_be_sent_is_lost_and_refuses_nothing(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"email": "a@" + 60 * "\u0436" + ".example"}  # longer than a domain may be
    assert signed_in(alice).patch(PROFILE, body).status_code == 200
    assert "\u0436" not in caplog.text


def test_without_an_email_there_is_nothing_to_confirm(
    client: Client, alice: User, mailoutbox: Emails
) -> None:
    response = signed_in(alice).post(SEND)
    assert (response.status_code, error_of(response)["code"]) == (400, "email_missing")
    open_session(client, alice)
    page = client.post("/profile/email/", follow=True)
    assert "There is no e-mail in your profile." in text(page)
    assert mailoutbox == []


def test_support_sees_whether_the_email_is_confirmed(
    admin: Client, alice: User, mailoutbox: Emails
) -> None:
    page = f"/admin/users/user/{alice.pk}/change/"
    assert "Not confirmed" not in text(admin.get(page))
    app, key = with_email(alice, mailoutbox)
    assert "E-mail Not confirmed" in text(admin.get(page))
    app.post(VERIFY, {"key": key})
    assert "E-mail Confirmed, " in text(admin.get(page))


def test_off_nothing_is_sent_and_nothing_shown(
    client: Client, alice: User, mailoutbox: Emails, notices_are_on: LazySettings
) -> None:
    app, key = with_email(alice, mailoutbox)
    notices_are_on.EMAIL_NOTICES = False
    open_session(client, alice)
    assert "email_verified" not in app.get(PROFILE).json()
    assert "onfirm" not in text(client.get("/profile/"))
    for url, body in ((SEND, {}), (VERIFY, {"key": key})):
        response = app.post(url, body)
        assert (response.status_code, error_of(response)["code"]) == (404, "not_found")
    assert client.get(CONFIRM, {"key": key}).status_code == 404
    assert client.post(CONFIRM, {"key": key}).status_code == 404
    assert client.post("/profile/email/").status_code == 404
    app.patch(PROFILE, {"email": "other@example.com"})
    assert len(mailoutbox) == 1


def test_the_sign_in_of_a_browser_still_works(
    client: Client, outbox: list[Message]
) -> None:
    assert sign_in(client, BORIS, outbox).status_code == 200


class Broken:
    def __init__(self, *args: object, **kwargs: object) -> None:
        raise OSError(f"{EMAIL}: mailbox unavailable")


def test_a_mail_server_that_fails_is_in_the_log_and_nowhere_else(
    alice: User,
    mailoutbox: Emails,
    notices_are_on: LazySettings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    notices_are_on.EMAIL_BACKEND = "users.mail.tests.test_verification.Broken"
    with caplog.at_level(logging.ERROR):
        response = signed_in(alice).patch(PROFILE, {"email": EMAIL})
    assert response.status_code == 200
    assert "an e-mail was not sent: OSError" in caplog.text
    assert EMAIL not in caplog.text


def test_too_many_emails_are_dropped(
    alice: User,
    mailoutbox: Emails,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    submitted: list[object] = []
    monkeypatch.setattr(
        sending._threads, "submit", lambda call, *args: submitted.append(args)
    )
    monkeypatch.setattr(sending, "_places", BoundedSemaphore(1))
    client = signed_in(alice)
    client.patch(PROFILE, {"email": EMAIL})
    assert client.post(SEND).status_code == 200
    assert len(submitted) == 1
    assert "an e-mail was not sent: too many are waiting" in caplog.text


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("EMAIL_HOST", "", "config.E066"),
        ("DEFAULT_FROM_EMAIL", "webmaster@localhost", "config.E066"),
        ("PUBLIC_URL", "", "config.E066"),
        ("EMAIL_USE_SSL", True, "config.E065"),
    ],
)
def test_settings_that_cannot_send_refuse_to_start(
    notices_are_on: LazySettings, name: str, value: object, error: str
) -> None:
    notices_are_on.DEBUG, notices_are_on.EMAIL_HOST = False, "mail.example.com"
    assert email_can_be_sent() == []
    setattr(notices_are_on, name, value)
    assert [found.id for found in email_can_be_sent()] == [error]
    notices_are_on.EMAIL_NOTICES = False
    assert email_can_be_sent() == []
