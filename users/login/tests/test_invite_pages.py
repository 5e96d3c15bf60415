from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, Clock, ask_for_code, signed_in
from referrals.models import Referral
from users.channels.memory import Message
from users.devices.services import sign_out_everywhere
from users.models import User
from users.tests.pages import digits, text

pytestmark = pytest.mark.django_db

WARNING = (
    "This person will see your full phone number and when you accepted the invitation."
)


def accept(client: Client, inviter: User) -> Any:
    """Press the button of the page behind an invite link."""
    body = {"invite_code": inviter.invite_code}
    return client.post("/login/invite/", body, follow=True)


def test_an_invite_link_leads_to_a_counted_sign_in(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    page = client.get(f"/i/{alice.invite_code.lower()}/")
    assert "+7999•••••01 has invited you" in text(page)
    assert WARNING in text(page)
    assert ALICE not in page.content.decode()
    assert 'property="og:title"' in page.content.decode()
    page = accept(client, alice)
    assert page.redirect_chain == [("/login/", 302)]
    assert "Invited by +7999•••••01" in text(page)
    assert WARNING in text(page)
    assert not Referral.objects.exists()
    page = client.post("/login/", {"phone_number": BORIS}, follow=True)
    assert "Invited by +7999•••••01 Remove this invitation" in text(page)
    assert WARNING in text(page)
    assert invited(client, outbox)
    assert Referral.objects.get().inviter == alice


@pytest.mark.parametrize("link", ["/i/{}/", "/login/?invite={}"])
def test_a_link_credits_nobody_by_itself(
    client: Client, alice: User, outbox: list[Message], link: str
) -> None:
    page = client.get(link.format(alice.invite_code), follow=True)
    assert "+7999•••••01 has invited you" in text(page)
    assert WARNING in text(page)
    assert "Invited by" not in text(client.get("/login/"))
    client.post("/login/", {"phone_number": BORIS})
    assert not invited(client, outbox)
    assert not Referral.objects.exists()


@pytest.mark.parametrize("spelling", ["{}", " {} ", "https://x.example/i/{}/"])
def test_a_code_is_entered_on_the_front_page(
    client: Client, alice: User, spelling: str
) -> None:
    assert "Have an invite code?" in text(client.get("/"))
    typed = spelling.format(alice.invite_code.lower())
    page = client.get("/i/", {"invite_code": typed}, follow=True)
    assert page.redirect_chain == [(f"/i/{alice.invite_code}/?by=typed", 302)]
    assert "+7999•••••01 has invited you" in text(page)
    for no_code in ("", "nonsense"):
        assert client.get("/i/", {"invite_code": no_code}).status_code == 404


def test_the_service_is_called_by_its_brand_name(
    client: Client, alice: User, settings: LazySettings
) -> None:
    assert "<title>Referral</title>" in client.get("/").content.decode()
    settings.BRAND_NAME = "Bricks & Co"
    page = client.get(f"/i/{alice.invite_code}/").content.decode()
    assert "You are invited · Bricks &amp; Co</title>" in page
    assert '"og:site_name" content="Bricks &amp; Co"' in page
    page = client.get("/nowhere/").content.decode()
    assert "404 · Bricks &amp; Co</title>" in page


def test_accepting_needs_a_csrf_token(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.get("/login/invite/").status_code == 405
    body = {"invite_code": alice.invite_code}
    assert client.post("/login/invite/", body).status_code == 403
    assert "invitation" not in client.cookies


def test_an_accepted_invitation_can_be_dropped(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    accept(client, alice)
    body = {"invite_code": "", "next": "/profile/edit/"}
    response = client.post("/login/invite/", body)
    assert response["Location"] == "/login/?next=%2Fprofile%2Fedit%2F"
    assert "Invited by" not in text(client.get("/login/"))
    client.post("/login/", {"phone_number": BORIS})
    assert not invited(client, outbox)


def test_an_invitation_can_be_dropped_while_the_code_is_on_its_way(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    accept(client, alice)
    client.post("/login/", {"phone_number": BORIS})
    body = {"invite_code": "", "on_code_page": "1"}
    page = client.post("/login/invite/", body, follow=True)
    assert page.redirect_chain == [("/login/code/", 302)]
    assert "Invited by" not in text(page)
    assert not invited(client, outbox)
    assert not Referral.objects.exists()


def test_an_accepted_invitation_ends_after_a_day(
    client: Client, alice: User, clock: Clock
) -> None:
    accept(client, alice)
    cookie = client.cookies["invitation"].value
    clock.pass_seconds(24 * 3600 - 1)
    assert "Invited by" in text(client.get("/login/"))
    clock.pass_seconds(2)
    client.cookies["invitation"] = cookie  # a browser would have deleted it
    assert "Invited by" not in text(client.get("/login/"))


def test_people_who_have_an_account_are_asked_again(
    client: Client, alice: User, boris: User, outbox: list[Message]
) -> None:
    accept(client, alice)
    client.post("/login/", {"phone_number": BORIS})
    page = client.post("/login/code/", {"code": digits(outbox)}, follow=True)
    assert "Were you invited by +7999•••••01" in text(page)
    assert WARNING in text(page)
    assert not Referral.objects.exists()
    client.post("/profile/activate/", {"invite_code": alice.invite_code})
    assert Referral.objects.get().inviter == alice


def test_people_who_have_activated_are_told_so(
    client: Client, alice: User, boris: User, clara: User, outbox: list[Message]
) -> None:
    signed_in(boris).post("/api/profile/", {"invite_code": clara.invite_code})
    accept(client, alice)
    client.post("/login/", {"phone_number": BORIS})
    page = client.post("/login/code/", {"code": digits(outbox)}, follow=True)
    assert page.redirect_chain[-1][0] == "/profile/"
    assert "You have already activated an invite code." in text(page)
    assert Referral.objects.get().inviter == clara


def test_accepting_while_signed_in_leads_to_the_question(
    boris_browser: Client, alice: User
) -> None:
    assert "Were you invited by" in text(accept(boris_browser, alice))
    assert not Referral.objects.exists()


def test_accepting_an_unknown_invite_code_is_refused(client: Client) -> None:
    response = client.post("/login/invite/", {"invite_code": "000000"})
    assert response.status_code == 404
    assert "This invite code does not work" in text(response)
    assert "invitation" not in client.cookies


@pytest.mark.parametrize("code", ["000000", "nonsense", "<script>", "%00", "x" * 500])
def test_a_bad_invite_link_is_a_friendly_page(client: Client, code: str) -> None:
    response = client.get(f"/i/{code}/")
    assert response.status_code == 404
    assert "This invite code does not work" in text(response)
    assert b"<script>" not in response.content


def test_an_invite_code_that_went_away_is_told(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    accept(client, alice)
    alice.delete()
    client.post("/login/", {"phone_number": BORIS})
    page = client.post("/login/code/", {"code": digits(outbox)}, follow=True)
    assert page.redirect_chain[-1][0] == "/profile/"
    assert "no such invite code" in text(page)


@pytest.mark.parametrize("text_", ["Call 8-800-555", "<script>", "x" * 500])
def test_an_invalid_invite_code_is_not_shown(client: Client, text_: str) -> None:
    page = client.get("/login/", {"invite": text_})
    assert page.status_code == 200
    assert "Invited by" not in text(page)


def invited(client: Client, outbox: list[Message]) -> bool:
    """Whether the sign-in that is under way counts as invited."""
    page = client.post("/login/code/", {"code": digits(outbox)}, follow=True)
    assert page.redirect_chain[-1][0] == "/profile/"
    return "You have accepted the invitation" in text(page)


def test_an_invitation_outlives_the_code(
    client: Client, alice: User, outbox: list[Message], clock: Clock
) -> None:
    accept(client, alice)
    client.post("/login/", {"phone_number": BORIS})
    clock.pass_seconds(301)
    client.post("/login/", {"phone_number": BORIS})
    assert invited(client, outbox)


def test_an_invitation_counts_for_a_code_asked_for_before(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    client.post("/login/", {"phone_number": BORIS})
    accept(client, alice)
    client.post("/login/", {"phone_number": BORIS})
    assert len(outbox) == 1
    assert invited(client, outbox)


def test_an_invitation_survives_another_number(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    accept(client, alice)
    client.post("/login/", {"phone_number": "+79990000007"})
    assert "Invited by +7999•••••01" in text(client.get("/login/"))
    client.post("/login/", {"phone_number": BORIS})
    assert invited(client, outbox)


def test_a_stranger_cannot_take_over_an_invitation(
    client: Client, api: APIClient, alice: User, clara: User, clock: Clock,
    outbox: list[Message],
) -> None:  # fmt: skip
    accept(client, alice)
    client.post("/login/", {"phone_number": BORIS})
    clock.pass_seconds(60)
    ask_for_code(api, BORIS, invite_code=clara.invite_code)
    assert invited(client, outbox)
    assert Referral.objects.get().inviter == alice


def test_pages_credit_only_whom_they_show(
    client: Client, api: APIClient, clara: User, outbox: list[Message]
) -> None:
    """Many people share one address; one of them asks for a code for Boris."""
    ask_for_code(api, BORIS, invite_code=clara.invite_code)
    client.post("/login/", {"phone_number": BORIS})
    assert not invited(client, outbox)
    assert not Referral.objects.exists()


def test_why_an_invitation_does_not_count_is_told(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    accept(client, alice)
    client.post("/login/", {"phone_number": ALICE})
    page = client.post("/login/code/", {"code": digits(outbox)}, follow=True)
    assert "This is your own invite code." in text(page)


def test_a_link_for_someone_signed_in_asks_at_once(
    boris_browser: Client, alice: User
) -> None:
    page = boris_browser.get(f"/login/?invite={alice.invite_code}", follow=True)
    assert "Were you invited by" in text(page)


def test_an_activation_survives_the_end_of_the_session(
    clock: Clock, boris_browser: Client, alice: User, outbox: list[Message]
) -> None:
    boris = User.objects.get(phone_number=BORIS)
    sign_out_everywhere(boris)
    body = {"invite_code": alice.invite_code}
    response = boris_browser.post("/profile/activate/", body, follow=True)
    login_url, _status = response.redirect_chain[-1]
    assert "csrf" not in login_url
    clock.pass_seconds(60)
    boris_browser.post(login_url, {"phone_number": BORIS})
    page = boris_browser.post("/login/code/", {"code": digits(outbox)}, follow=True)
    assert "Were you invited by" in text(page)


def test_a_long_text_that_is_no_code_is_not_kept_over_the_sign_in(
    client: Client,
) -> None:
    response = client.post("/profile/activate/", {"invite_code": "words " * 300})
    assert response["Location"] == "/login/?next=/profile/activate/"


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
    assert "Yes, accept the invitation" not in text(page)


def test_activation_asks_first_and_then_counts(
    boris_browser: Client, alice: User
) -> None:
    url = "/profile/activate/"
    page = boris_browser.get(url, {"invite_code": alice.invite_code.lower()})
    assert "Were you invited by +7999•••••01" in text(page)
    assert not Referral.objects.exists()
    body = {"invite_code": alice.invite_code}
    response = boris_browser.post(url, body, follow=True)
    assert "The invite code has been activated." in text(response)
    assert alice.invite_code in text(boris_browser.get("/profile/"))
    link = boris_browser.get(f"/i/{alice.invite_code}/")
    assert "You have already activated an invite code." in text(link)


def test_own_invite_link_is_not_an_invitation(boris_browser: Client) -> None:
    own = User.objects.get(phone_number=BORIS).invite_code
    page = boris_browser.get(f"/i/{own}/")
    assert "Your invite link This is your own invite link." in text(page)
    assert "<h1>You are invited</h1>" not in page.content.decode()


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
