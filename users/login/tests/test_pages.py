"""Pages for people: the same services, in a browser."""

import re
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, Clock, ask_for_code, signed_in
from referrals.models import Referral
from referrals.tests.test_list import invite_many
from tests.lab.shared import wrong
from users.devices.services import sign_out_everywhere
from users.devices.token_authentication import issue_token
from users.login.services import SignedIn
from users.login.services import sign_in as sign_in_by_code
from users.login.tests.test_request_code import FailingBackend
from users.models import Device, User
from users.sms.memory import Message

pytestmark = pytest.mark.django_db


def text(response: Any) -> str:
    """The page as people read it, without markup and line breaks."""
    body = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", body)


def numbers(response: Any) -> set[str]:
    """The phone numbers of people who came, in E.164."""
    found = re.findall(r"\+7 999 100-\d\d-\d\d", response.content.decode())
    return {re.sub(r"[ -]", "", number) for number in found}


def digits(outbox: list[Message]) -> str:
    found = re.search(r"\d{4,8}", outbox[-1].text)
    assert found
    return found[0]


def sign_in(client: Client, phone_number: str, outbox: list[Message]) -> Any:
    client.post("/login/", {"phone_number": phone_number})
    return client.post("/login/code/", {"code": digits(outbox)}, follow=True)


@pytest.fixture
def boris_browser(client: Client, outbox: list[Message]) -> Client:
    assert sign_in(client, BORIS, outbox).status_code == 200
    return client


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
    assert "not a phone number" in text(response)
    body = response.content.decode()
    assert 'value="12"' in body
    assert 'aria-invalid="true"' in body
    described_by = re.search(r'aria-describedby="([^"]+)"', body)
    assert described_by
    assert f'id="{described_by[1]}"' in body


def test_a_failed_sms_is_told(client: Client, settings: LazySettings) -> None:
    settings.SMS_BACKEND = f"{FailingBackend.__module__}.FailingBackend"
    response = client.post("/login/", {"phone_number": ALICE})
    assert response.status_code == 503
    assert "SMS could not be sent" in text(response)
    assert ALICE in response.content.decode()


def test_without_a_number_there_is_no_code_page(client: Client) -> None:
    assert client.get("/login/code/")["Location"] == "/login/"


@pytest.mark.parametrize("code", ["", "12", "abcd", "١٢٣٤", "\x00" * 4])
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
    assert "no valid code for" in text(client.get("/login/code/"))
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


def test_signing_in_changes_the_session_key(
    client: Client, outbox: list[Message]
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    before = client.session.session_key
    client.post("/login/code/", {"code": digits(outbox)})
    assert client.session.session_key != before
    assert "pending_phone_number" not in client.session


@pytest.mark.parametrize(
    ("next_url", "goes_to"),
    [
        ("/profile/edit/", "/profile/edit/"),
        ("https://evil.example/", "/profile/"),
        ("//evil.example/", "/profile/"),
        ("\\\\evil.example", "/profile/"),
        ("javascript:alert(1)", "/profile/"),
    ],
)
def test_after_signing_in_nobody_is_led_away(
    client: Client, outbox: list[Message], next_url: str, goes_to: str
) -> None:
    client.get("/login/", {"next": next_url})
    client.post("/login/", {"phone_number": ALICE})
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert response["Location"] == goes_to


def test_an_invite_link_leads_to_a_counted_sign_in(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    page = client.get(f"/i/{alice.invite_code.lower()}/")
    assert "+7999•••••01 invites you" in text(page)
    assert ALICE not in page.content.decode()
    assert 'property="og:title"' in page.content.decode()
    assert not Referral.objects.exists()
    link = f"/login/?invite={alice.invite_code}"
    assert link in page.content.decode()
    assert alice.invite_code in text(client.get(link))
    client.post("/login/", {"phone_number": BORIS, "invite_code": alice.invite_code})
    # The SMS is read in another browser; the invitation counts all the same.
    other = Client()
    other.post("/login/", {"phone_number": BORIS})
    response = other.post("/login/code/", {"code": digits(outbox)}, follow=True)
    assert "Your invitation has been counted" in text(response)
    assert Referral.objects.get().inviter == alice


@pytest.mark.parametrize("code", ["000000", "nonsense", "<script>", "%00", "x" * 500])
def test_a_bad_invite_link_is_a_friendly_page(client: Client, code: str) -> None:
    response = client.get(f"/i/{code}/")
    assert response.status_code == 404
    assert "This link does not work" in text(response)
    assert b"<script>" not in response.content


def test_an_invite_code_that_went_away_is_told_and_dropped(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    client.get(f"/login/?invite={alice.invite_code}")
    alice.delete()
    response = client.post("/login/", {"phone_number": BORIS})
    assert response.status_code == 400
    assert "no such invite code" in text(response)
    assert BORIS in response.content.decode()
    assert outbox == []
    assert client.post("/login/", {"phone_number": BORIS}).status_code == 302


@pytest.mark.parametrize("text_", ["Call 8-800-555", "<script>", "x" * 500])
def test_an_invalid_invite_code_is_not_shown(client: Client, text_: str) -> None:
    page = client.get("/login/", {"invite": text_})
    assert "Invite code" not in text(page)


def invited(client: Client, outbox: list[Message]) -> bool:
    """Whether the sign-in that is under way counts as invited."""
    page = client.post("/login/code/", {"code": digits(outbox)}, follow=True)
    assert page.redirect_chain[-1][0] == "/profile/"
    return "Your invitation has been counted" in text(page)


def test_an_invitation_outlives_the_code(
    client: Client, alice: User, outbox: list[Message], clock: Clock
) -> None:
    client.get(f"/login/?invite={alice.invite_code}")
    client.post("/login/", {"phone_number": BORIS})
    clock.pass_seconds(301)
    client.post("/login/", {"phone_number": BORIS})
    assert invited(client, outbox)


def test_an_invitation_counts_for_a_code_asked_for_before(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    client.post("/login/", {"phone_number": BORIS})
    client.get(f"/login/?invite={alice.invite_code}")
    client.post("/login/", {"phone_number": BORIS})
    assert len(outbox) == 1
    assert invited(client, outbox)


def test_an_invitation_survives_another_number(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    client.get(f"/login/?invite={alice.invite_code}")
    client.post("/login/", {"phone_number": "+79990000007"})
    assert alice.invite_code in text(client.get("/login/"))
    client.post("/login/", {"phone_number": BORIS})
    assert invited(client, outbox)


def test_a_stranger_cannot_take_over_an_invitation(
    client: Client, api: APIClient, alice: User, clara: User, clock: Clock,
    outbox: list[Message],
) -> None:  # fmt: skip
    client.get(f"/login/?invite={alice.invite_code}")
    client.post("/login/", {"phone_number": BORIS})
    clock.pass_seconds(60)
    ask_for_code(api, BORIS, invite_code=clara.invite_code)
    assert invited(client, outbox)
    assert Referral.objects.get().inviter == alice


def test_why_an_invitation_does_not_count_is_told(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    client.get(f"/login/?invite={alice.invite_code}")
    client.post("/login/", {"phone_number": ALICE})
    page = client.post("/login/code/", {"code": digits(outbox)}, follow=True)
    assert "This is your own invite code." in text(page)


def test_a_link_for_someone_signed_in_asks_at_once(
    boris_browser: Client, alice: User
) -> None:
    page = boris_browser.get(f"/login/?invite={alice.invite_code}", follow=True)
    assert "Were you invited by" in text(page)


def test_an_activation_survives_the_end_of_the_session(
    boris_browser: Client, alice: User, clock: Clock, outbox: list[Message]
) -> None:
    boris = User.objects.get(phone_number=BORIS)
    sign_out_everywhere(boris)
    body = {"invite_code": alice.invite_code}
    response = boris_browser.post("/profile/activate/", body, follow=True)
    assert "csrf" not in str(response.redirect_chain)
    page = sign_in(boris_browser, BORIS, outbox)
    assert "Were you invited by" in text(page)


def test_the_activation_page_starts_clean(boris_browser: Client) -> None:
    page = boris_browser.get("/profile/activate/")
    assert page.status_code == 200
    assert "required" not in text(page)


def test_a_person_who_has_activated_is_told_at_once(
    boris_browser: Client, alice: User, clara: User
) -> None:
    url = "/profile/activate/"
    boris_browser.post(url, {"invite_code": alice.invite_code})
    page = boris_browser.get(url, {"invite_code": clara.invite_code})
    assert "You have already activated an invite code." in text(page)
    assert "Yes, activate it" not in text(page)


def test_after_too_many_guesses_the_page_says_when(
    client: Client, outbox: list[Message], clock: Clock
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    for _ in range(5):
        client.post("/login/code/", {"code": wrong(digits(outbox))})
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert response.status_code == 429
    assert "Too many wrong codes" in text(response)
    clock.pass_seconds(290)
    client.post("/login/", {"phone_number": ALICE})
    clock.pass_seconds(11)
    assert "You can ask for a new one in 109 seconds" in text(
        client.get("/login/code/")
    )
    page = client.post("/login/", {"phone_number": ALICE}, follow=True)
    assert "Enter that one" not in text(page)


def test_an_old_destination_does_not_strike_later(
    client: Client, outbox: list[Message]
) -> None:
    client.get("/login/?next=/profile/edit/")
    client.get("/login/")
    assert sign_in(client, ALICE, outbox).redirect_chain[-1][0] == "/profile/"


def test_a_large_body_is_refused(client: Client) -> None:
    response = client.post("/login/", {"phone_number": "x" * 70_000})
    assert response.status_code == 413


def test_activation_asks_first_and_then_counts(
    boris_browser: Client, alice: User
) -> None:
    url = "/profile/activate/"
    page = boris_browser.get(url, {"invite_code": alice.invite_code.lower()})
    assert "Were you invited by +7999•••••01" in text(page)
    assert not Referral.objects.exists()
    body = {"invite_code": alice.invite_code}
    response = boris_browser.post(url, body, follow=True)
    assert "The invite code is activated." in text(response)
    assert alice.invite_code in text(boris_browser.get("/profile/"))
    link = boris_browser.get(f"/i/{alice.invite_code}/")
    assert "You have already activated an invite code." in text(link)


def test_refused_activations_are_told(
    boris_browser: Client, alice: User, clara: User
) -> None:
    url = "/profile/activate/"
    own = User.objects.get(phone_number=BORIS).invite_code
    for code, status, words in [
        ("", 400, "This field is required"),
        ("nonsense", 400, "There is no such invite code."),
        ("000000", 400, "There is no such invite code."),
        (own, 400, "This is your own invite code."),
    ]:
        for response in (
            boris_browser.get(url, {"invite_code": code}),
            boris_browser.post(url, {"invite_code": code}),
        ):
            assert response.status_code == status
            assert words in text(response)
    boris_browser.post(url, {"invite_code": alice.invite_code})
    response = boris_browser.post(url, {"invite_code": clara.invite_code})
    assert response.status_code == 409
    assert "You have already activated an invite code." in text(response)


def test_an_own_link_says_so(boris_browser: Client) -> None:
    own = User.objects.get(phone_number=BORIS).invite_code
    assert "your own invite link" in text(boris_browser.get(f"/i/{own}/"))


def test_the_profile_shows_who_came(client: Client, alice: User) -> None:
    invite_many(alice, 120)
    client.force_login(alice)
    page = client.get("/profile/")
    assert "120 people" in text(page)
    assert len(numbers(page)) == 50
    assert "Newer" not in text(page)
    seen = numbers(page)
    older = r'href="([^"]+)#invited" rel="next"'
    while link := re.search(older, page.content.decode()):
        page = client.get(link[1].replace("&amp;", "&"))
        seen |= numbers(page)
    assert len(seen) == 120
    assert "Newer" in text(page)


@pytest.mark.parametrize("cursor", ["garbage", "cD1nYXJiYWdl"])
def test_a_forged_page_is_not_found(client: Client, alice: User, cursor: str) -> None:
    client.force_login(alice)
    response = client.get("/profile/", {"cursor": cursor})
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("number", [3, 300])
def test_the_profile_takes_a_fixed_number_of_queries(
    client: Client,
    alice: User,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    invite_many(alice, number)
    client.force_login(alice)
    client.get("/")
    # Session; user; device; own activation; page with its count; days of the chart.
    with django_assert_num_queries(6):
        client.get("/profile/")


def test_counts_above_999_are_shown_as_999_plus(client: Client, alice: User) -> None:
    invite_many(alice, 1000)
    client.force_login(alice)
    assert "999+ people" in text(client.get("/profile/"))


def test_name_and_mail_can_be_changed(boris_browser: Client) -> None:
    body = {"first_name": "Борис", "last_name": "<b>", "email": "b@example.com"}
    page = boris_browser.post("/profile/edit/", body, follow=True)
    assert "Saved." in text(page)
    assert "Борис &lt;b&gt;" in page.content.decode()
    response = boris_browser.post("/profile/edit/", {**body, "email": "no mail"})
    assert response.status_code == 400
    assert 'value="Борис"' in response.content.decode()
    assert User.objects.get(phone_number=BORIS).email == "b@example.com"


def test_an_account_is_deleted_after_its_last_digits(boris_browser: Client) -> None:
    assert "+7 999 000-00-02" in text(boris_browser.get("/profile/delete/"))
    response = boris_browser.post("/profile/delete/", {"last_digits": "0001"})
    assert response.status_code == 400
    assert User.objects.exists()
    body = {"last_digits": "0002"}
    response = boris_browser.post("/profile/delete/", body, follow=True)
    assert "Your account has been deleted." in text(response)
    assert not User.objects.exists()
    assert boris_browser.get("/profile/").status_code == 302


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
    client.login(username=staff.phone_number, password="a long password")
    assert client.get("/admin/").status_code == 200
    assert Device.objects.filter(user=staff).count() == 1
    sign_out_everywhere(staff)
    assert client.get("/admin/").status_code == 302


def test_a_device_of_another_person_keeps_no_browser_signed_in(
    boris_browser: Client, alice: User
) -> None:
    session = boris_browser.session
    session["device_id"] = issue_token(user=alice, user_agent="")[0].pk
    session.save()
    assert boris_browser.get("/profile/").status_code == 302


def test_use_renews_the_browser(boris_browser: Client, clock: Clock) -> None:
    day = 24 * 3600
    for _ in range(3):
        clock.pass_seconds(60 * day)
        assert boris_browser.get("/profile/").status_code == 200
    clock.pass_seconds(90 * day)
    assert boris_browser.get("/profile/").status_code == 302


def test_no_token_reaches_the_browser(
    client: Client, outbox: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    issued: list[str] = []

    def remember(**kwargs: Any) -> SignedIn:
        signed_in = sign_in_by_code(**kwargs)
        issued.append(signed_in.token)
        return signed_in

    monkeypatch.setattr("users.login.services.sign_in", remember)
    page = sign_in(client, ALICE, outbox)
    (secret,) = issued
    assert secret not in page.content.decode()
    assert secret not in str(client.cookies)
    assert secret not in str(dict(client.session))
    assert client.cookies["known_device"]["httponly"]


@pytest.mark.parametrize("path", ["/logout/", "/logout/everywhere/"])
def test_every_change_is_a_post(boris_browser: Client, path: str) -> None:
    assert boris_browser.get(path)["Location"] == "/"
    assert boris_browser.get("/profile/").status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/login/", "/i/000000/", "/profile/", "/profile/edit/"]
)
def test_head_is_answered_as_get(boris_browser: Client, path: str) -> None:
    head, get = boris_browser.head(path), boris_browser.get(path)
    assert (head.status_code, head.content) == (get.status_code, b"")


def test_signed_in_pages_stay_in_no_cache(boris_browser: Client) -> None:
    for path in ("/", "/profile/", "/profile/edit/", "/profile/delete/"):
        assert "no-store" in boris_browser.get(path)["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    ["/login/", "/logout/", "/profile/edit/", "/profile/delete/", "/profile/activate/"],
)
def test_forms_of_other_sites_are_refused(alice: User, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    response = client.post(path, {})
    assert response.status_code == 403
    assert "This page is out of date" in text(response)


def test_the_language_is_chosen_or_that_of_the_browser(client: Client) -> None:
    russian = {"Accept-Language": "ru"}
    assert "Войти" in text(client.get("/", headers=russian))
    assert "Sign in" in text(client.get("/"))
    response = client.post("/language/setlang/", {"language": "ru", "next": "/login/"})
    assert response["Location"] == "/login/"
    assert '<html lang="ru">' in client.get("/").content.decode()
    evil = {"language": "en", "next": "https://evil.example/"}
    assert client.post("/language/setlang/", evil)["Location"] == "/"


def test_headers_protect_every_page(client: Client) -> None:
    for path in ("/", "/login/", "/nothing/", "/admin/login/"):
        response = client.get(path)
        policy = response["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert response["X-Frame-Options"] == "DENY"
        assert response["Referrer-Policy"] == "same-origin"
        assert response["X-Content-Type-Options"] == "nosniff"


def test_pages_have_nothing_inline(boris_browser: Client) -> None:
    for path in ("/", "/profile/", "/profile/edit/", "/profile/delete/", "/nothing/"):
        body = boris_browser.get(path).content.decode()
        assert not re.search(r"<style|<script(?! src)|\son\w+=|\sstyle=", body), path


def test_numbers_are_plural_in_russian(client: Client, alice: User) -> None:
    client.force_login(alice)
    for number, words in [(1, "1 человек"), (2, "2 человека"), (5, "5 человек")]:
        Referral.objects.all().delete()
        User.objects.filter(phone_number__startswith="+7999100").delete()
        invite_many(alice, number)
        page = client.get("/profile/", headers={"Accept-Language": "ru"})
        assert f" {words} " in text(page)
