import re
import secrets

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.core import signing
from django.core.cache import cache
from django.test import Client
from rest_framework.test import APIClient

from config.env import Limit
from conftest import ALICE, BORIS, Clock, ask_for_code
from limits import commands
from tests.lab.shared import wrong
from users.channels.memory import Message
from users.login import codes
from users.login.tests.test_request_code import FailingBackend
from users.models import User
from users.tests.pages import digits, sign_in, text

pytestmark = pytest.mark.django_db

PUBLIC_PAGES = [
    "/",
    "/login/",
    "/login/?next=/profile/edit/",
    "/login/?invite={code}",
    "/login/code/",
    "/i/{code}/",
    "/i/nonsense/",
    "/profile/",
    "/admin/login/",
    "/nowhere/",
    "/robots.txt",
]


def test_a_code_that_was_replaced_leaves_the_field_for_a_longer_one(
    client: Client, outbox: list[Message]
) -> None:
    """Otherwise the page would send the newer code after its fourth digit."""
    client.post("/login/", {"phone_number": ALICE})
    first, newer = digits(outbox), codes.issue(ALICE, length=8, last_for=3600)
    page = client.post("/login/code/", {"code": first})
    assert "replaced by a newer one" in text(page)
    again = client.get("/login/code/")
    for shown in (page, again):  # the browser keeps it
        assert 'data-digits=""' in shown.content.decode()
    assert "sign_in" in page.cookies
    assert "sign_in" not in again.cookies  # a look does not make it last longer
    signed_in = client.post("/login/code/", {"code": newer.digits})
    assert signed_in["Location"] == "/profile/"


def test_sign_in(client: Client, outbox: list[Message]) -> None:
    response = client.post("/login/", {"phone_number": "8 (999) 000-00-01"})
    assert response.status_code == 302
    page = client.get(response["Location"])
    assert "+7 999 000-00-01" in text(page)
    assert digits(outbox) in text(page)
    response = client.post("/login/code/", {"code": f" {digits(outbox)} "})
    assert response["Location"] == "/profile/"
    user = User.objects.get(phone_number=ALICE)
    assert user.invite_code in text(client.get("/profile/"))


def test_the_code_is_shown_in_development_only(
    client: Client, outbox: list[Message], settings: LazySettings
) -> None:
    settings.SHOW_LOGIN_CODES = False
    client.post("/login/", {"phone_number": ALICE})
    assert digits(outbox) not in text(client.get("/login/code/"))


def test_a_double_click_sends_one_sms_and_goes_on(
    client: Client, outbox: list[Message]
) -> None:
    for _ in range(2):
        response = client.post("/login/", {"phone_number": ALICE}, follow=True)
        assert response.redirect_chain == [("/login/code/", 302)]
    assert len(outbox) == 1
    assert "A code was sent a moment ago" in text(response)


def test_api_and_pages_share_code_and_wait(
    client: Client, api: APIClient, outbox: list[Message]
) -> None:
    code = ask_for_code(api, ALICE)
    client.post("/login/", {"phone_number": ALICE})
    assert len(outbox) == 1
    response = client.post("/login/code/", {"code": wrong(code)})
    assert response.status_code == 400
    assert "4 attempts left" in text(response)
    body = {"phone_number": ALICE, "code": wrong(code)}
    refusal = api.post("/api/auth/verify-code/", body).json()
    assert refusal["errors"][0]["attempts_left"] == 3


def test_a_bad_number_is_told_and_kept(client: Client) -> None:
    response = client.post("/login/", {"phone_number": "12"})
    assert response.status_code == 400
    assert "not a valid phone number" in text(response)
    body = response.content.decode()
    assert 'value="12"' in body
    assert 'aria-invalid="true"' in body
    described_by = re.search(r'aria-describedby="([^"]+)"', body)
    assert described_by
    for described_id in described_by[1].split():
        assert f'id="{described_id}"' in body


def test_a_failed_sms_is_told(client: Client, settings: LazySettings) -> None:
    settings.SMS_BACKEND = f"{FailingBackend.__module__}.FailingBackend"
    response = client.post("/login/", {"phone_number": ALICE})
    assert response.status_code == 503
    assert "SMS could not be sent" in text(response)
    assert ALICE in response.content.decode()


def test_without_a_number_there_is_no_code_page(client: Client) -> None:
    assert client.get("/login/code/")["Location"] == "/login/"


@pytest.mark.parametrize("code", ["", "12", "abcd", "\x00" * 4])
def test_a_text_that_is_no_code_is_not_counted(
    client: Client, outbox: list[Message], code: str
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    for _ in range(6):
        assert client.post("/login/code/", {"code": code}).status_code == 400
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert response.status_code == 302


def test_a_dead_code_offers_a_new_one(
    client: Client, outbox: list[Message], clock: Clock
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    clock.pass_seconds(301)
    assert "+7 999 000-00-01 is no longer valid" in text(client.get("/login/code/"))
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert "no longer valid" in text(response)
    client.post("/login/", {"phone_number": ALICE})
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert response.status_code == 302


def test_a_closed_account_is_told(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    User.objects.update(is_active=False)
    client.post("/login/", {"phone_number": ALICE})
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert response.status_code == 403
    assert "This account is closed" in text(response)
    assert client.get("/profile/").status_code == 302


def test_a_stolen_table_of_sessions_signs_nobody_in(boris_browser: Client) -> None:
    cookie = boris_browser.cookies["sessionid"].value
    kept = [session.session_key for session in Session.objects.all()]
    assert len(kept) == 1
    assert cookie not in kept
    thief = Client()
    thief.cookies["sessionid"] = kept[0]
    assert thief.get("/profile/").status_code == 302
    assert boris_browser.get("/profile/").status_code == 200
    boris_browser.post("/logout/")
    assert not Session.objects.filter(session_key__in=kept).exists()


def test_visitors_have_no_session(
    client: Client, alice: User, outbox: list[Message], clock: Clock
) -> None:
    client.cookies["sessionid"] = "made-up"
    for _ in range(3):
        for path in PUBLIC_PAGES:
            client.get(path.format(code=alice.invite_code))
    client.post("/login/invite/", {"invite_code": alice.invite_code})
    for _ in range(2):  # the second shows a message
        client.post("/login/", {"phone_number": BORIS, "next": "/profile/edit/"})
        client.get("/login/code/")
    client.post("/login/code/", {"code": "0"})
    client.post("/language/setlang/", {"language": "ru"})
    client.post("/logout/")
    client.get("/profile/activate/")
    assert not Session.objects.exists()
    client.post("/login/code/", {"code": digits(outbox)})
    assert Session.objects.count() == 1


def test_messages_that_fit_into_no_cookie_make_no_session(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def text_of(source: str) -> str:
        return secrets.token_hex(3000)  # cannot be compressed to a short one

    monkeypatch.setattr("users.login.pages._", text_of)
    for _ in range(2):
        assert client.post("/login/", {"phone_number": ALICE}).status_code == 302
    assert not Session.objects.exists()


def test_a_sign_in_leaves_no_pending_cookies(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    client.post("/login/invite/", {"invite_code": alice.invite_code})
    client.post("/login/", {"phone_number": BORIS})
    for name, seconds in (("sign_in", 3600), ("invitation", 24 * 3600)):
        cookie = client.cookies[name]
        assert cookie["max-age"] == seconds
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
    client.post("/login/code/", {"code": digits(outbox)})
    assert client.cookies["sign_in"].value == ""
    assert client.cookies["invitation"].value == ""


def test_pending_cookies_are_secure_where_there_is_https(
    client: Client, alice: User, settings: LazySettings
) -> None:
    settings.SESSION_COOKIE_SECURE = True
    client.post("/login/invite/", {"invite_code": alice.invite_code}, secure=True)
    client.post("/login/", {"phone_number": BORIS}, secure=True)
    assert client.cookies["sign_in"]["secure"]
    assert client.cookies["invitation"]["secure"]


def test_a_forged_or_old_pending_cookie_is_ignored(
    client: Client, clock: Clock
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    good = client.cookies["sign_in"].value
    for forged in (f"{good}x", "x", "é", signing.dumps({"phone_number": ALICE})):
        client.cookies["sign_in"] = forged
        assert client.get("/login/code/")["Location"] == "/login/"
    client.cookies["sign_in"] = good
    assert client.get("/login/code/").status_code == 200
    client.cookies["invitation"] = good
    assert client.get("/login/").context["invitation"] is None
    clock.pass_seconds(3601)
    client.cookies["sign_in"] = good
    assert client.get("/login/code/")["Location"] == "/login/"


@pytest.mark.parametrize(
    ("next_url", "goes_to"),
    [
        ("/profile/edit/", "/profile/edit/"),
        ("https://evil.example/", "/profile/"),
        ("//evil.example/", "/profile/"),
        ("\\\\evil.example", "/profile/"),
        ("javascript:alert(1)", "/profile/"),
        ("x", "/profile/"),
        ("?x", "/profile/"),
        ("profile", "/profile/"),
        ("profile-delete", "/profile/"),
        ("admin:index", "/profile/"),
        ("users.login.pages.login_page", "/profile/"),
    ],
)
def test_after_signing_in_nobody_is_led_away(
    client: Client,
    outbox: list[Message],
    clock: Clock,
    next_url: str,
    goes_to: str,
) -> None:
    page = client.get("/login/", {"next": next_url})
    kept = page.context["next_url"]
    for told in (kept, next_url):  # as the form has it, and forged
        user = Client()
        user.post("/login/", {"phone_number": ALICE, "next": told})
        response = user.post("/login/code/", {"code": digits(outbox)})
        assert response["Location"] == goes_to
        clock.pass_seconds(300)


def test_after_too_many_guesses_the_page_says_when(
    client: Client, outbox: list[Message], clock: Clock
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    for _ in range(5):
        client.post("/login/code/", {"code": wrong(digits(outbox))})
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert response.status_code == 429
    assert "Too many wrong codes" in text(response)
    assert "No code for +7 999 000-00-01 works here until 12:05 (UTC)" in text(response)


def test_after_the_last_guess_the_page_takes_no_code_until_there_is_a_new_one(
    client: Client, outbox: list[Message], clock: Clock
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    clock.pass_seconds(60)
    for _ in range(5):
        page = client.post("/login/code/", {"code": wrong(digits(outbox))})
    assert "this was the last attempt" in text(page)
    for shown in (page, client.get("/login/code/")):
        assert 'name="code"' not in shown.content.decode()
        assert "Send again" not in text(shown)
        assert 'data-clock="240"' in shown.content.decode()
        assert "Use another number" in text(shown)
    # The number typed once more: the same code would be sent, and be refused.
    page = client.post("/login/", {"phone_number": ALICE}, follow=True)
    assert "You have no attempts left for this code" in text(page)
    assert len(outbox) == 1
    clock.pass_seconds(240)
    page = client.get("/login/code/")
    assert "is no longer valid" in text(page)
    assert "Send again" in text(page)
    client.post("/login/", {"phone_number": ALICE})
    assert len(outbox) == 2
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert response["Location"] == "/profile/"


def test_the_time_to_wait_is_in_the_zone_of_the_reader(
    client: Client, outbox: list[Message], clock: Clock
) -> None:
    client.cookies["timezone"] = "Europe/Moscow"
    client.post("/login/", {"phone_number": ALICE})
    for _ in range(5):
        page = client.post("/login/code/", {"code": wrong(digits(outbox))})
    assert "until 15:05 (MSK)" in text(page)


@pytest.mark.parametrize("zone", ["", "../../etc/passwd", "Mars/Base", "x" * 3000])
def test_a_forged_time_zone_is_ignored(client: Client, zone: str) -> None:
    client.post("/login/", {"phone_number": ALICE})
    client.cookies["timezone"] = zone
    assert client.get("/login/code/").status_code == 200


def test_another_number_may_be_used_after_the_last_guess(
    client: Client, outbox: list[Message]
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    for _ in range(5):
        client.post("/login/code/", {"code": wrong(digits(outbox))})
    client.post("/login/", {"phone_number": BORIS})
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert response["Location"] == "/profile/"


def test_a_limit_says_how_long_to_wait(
    client: Client, outbox: list[Message], settings: LazySettings
) -> None:
    settings.CHALLENGE_BACKEND = None
    settings.LIMITS = settings.LIMITS | {"phones_per_address": Limit(1, 3600)}
    client.post("/login/", {"phone_number": ALICE})
    page = client.post("/login/", {"phone_number": BORIS})
    assert page.status_code == 429
    assert re.search(r"Too many requests\. Try again in 6\d minutes\.", text(page))


def test_the_phone_field_has_an_example_of_the_country(
    client: Client, settings: LazySettings
) -> None:
    page = client.get("/login/").content.decode()
    assert 'placeholder="+7 912 345-67-89"' in page
    assert 'data-formats="+7 ### ###-##-##|8 (###) ###-##-##"' in page
    settings.PHONE_DEFAULT_REGION = "US"
    page = client.get("/login/").content.decode()
    assert 'data-formats="+1 ###-###-####|(###) ###-####"' in page


def test_a_destination_survives_sending_again_and_is_then_forgotten(
    client: Client, outbox: list[Message], clock: Clock
) -> None:
    client.post("/login/", {"phone_number": ALICE, "next": "/profile/edit/"})
    page = client.get("/login/code/").content.decode()
    assert '<input type="hidden" name="next" value="/profile/edit/">' in page
    assert "/login/?next=%2Fprofile%2Fedit%2F" in page  # another number
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert response["Location"] == "/profile/edit/"
    client.post("/logout/")
    clock.pass_seconds(60)
    assert sign_in(client, ALICE, outbox).redirect_chain[-1][0] == "/profile/"


def test_a_destination_that_fits_into_no_cookie_is_dropped(client: Client) -> None:
    page = client.get("/login/", {"next": f"/profile/?{'x' * 4000}"})
    assert page.context["next_url"] == ""


@pytest.mark.parametrize("letter", ["x", "я", "\N{GRINNING FACE}", '"', "\\"])
def test_the_cookie_of_a_sign_in_is_small_whatever_the_destination(
    client: Client, letter: str
) -> None:
    for length in (80, 499):
        url = f"/{letter * length}"
        client.post("/login/", {"phone_number": ALICE, "next": url})
        # Browsers drop a cookie of more than 4,096 bytes.
        assert len(client.cookies["sign_in"].OutputString()) < 2000


def test_a_destination_with_other_letters_is_reached(
    client: Client, outbox: list[Message]
) -> None:
    page = client.get("/login/", {"next": "/i/имя/?by=%2F&q=ё"})
    next_url = page.context["next_url"]
    client.post("/login/", {"phone_number": ALICE, "next": next_url})
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert response["Location"] == "/i/%D0%B8%D0%BC%D1%8F/?by=%2F&q=%D1%91"


def test_the_code_page_does_not_tell_whether_a_code_lives(
    client: Client, api: APIClient, clock: Clock
) -> None:
    """A stranger's page is the same before and after the owner signs in."""
    code = ask_for_code(api, ALICE)
    client.post("/login/", {"phone_number": ALICE})
    client.get("/login/code/")  # shows the message
    before = text(client.get("/login/code/"))
    api.post("/api/auth/verify-code/", {"phone_number": ALICE, "code": code})
    assert text(client.get("/login/code/")) == before
    assert "We have sent it to" in before
    assert "It is valid for" not in before
    assert code not in before


def test_the_code_page_asks_no_store(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post("/login/", {"phone_number": ALICE})

    def fail(*args: object, **kwargs: object) -> None:
        raise AssertionError

    monkeypatch.setattr(cache, "get", fail)
    monkeypatch.setattr(commands, "run", fail)
    assert client.get("/login/code/").status_code == 200


def test_a_large_body_is_refused(client: Client) -> None:
    response = client.post("/login/", {"phone_number": "x" * 70_000})
    assert response.status_code == 413
