"""A form that is sent twice: a double click without JavaScript, a slow network, a
second tab, the back button.
"""

from typing import Any

import pytest
from django.test import Client

from conftest import ALICE, BORIS
from users.channels.memory import Message
from users.login.exceptions import CodeExpired
from users.models import Device, User
from users.phone_change import services
from users.tests.pages import digits, sign_in

pytestmark = pytest.mark.django_db


def target(response: Any) -> tuple[int, str]:
    return response.status_code, response.headers.get("Location", "")


def twin(browser: Client) -> Client:
    """Sends the cookies that the browser has now, and never those of later answers."""
    other = Client()
    for name, cookie in browser.cookies.items():
        other.cookies[name] = cookie.value
    return other


def receive(browser: Client, response: Any) -> None:
    """The browser gets the cookies of an answer to its twin."""
    browser.cookies.update(response.cookies)
    for name, cookie in response.cookies.items():
        if cookie["max-age"] == 0:
            del browser.cookies[name]


@pytest.mark.parametrize("stale_session", [True, False])
def test_second_submission_of_a_code_keeps_the_session_of_the_first(
    client: Client, outbox: list[Message], stale_session: bool
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    if stale_session:  # for example, its device was signed out
        client.cookies["sessionid"] = "made-up"
    again, code = twin(client), {"code": digits(outbox)}
    assert client.post("/login/code/", code).status_code == 302
    receive(client, again.post("/login/code/", code))
    assert Device.objects.count() == 1
    assert client.get("/profile/").status_code == 200
    response = client.get("/login/code/", follow=True)
    assert response.redirect_chain[-1] == ("/profile/", 302)


def test_second_tab_shows_the_profile_to_whoever_is_signed_in(
    client: Client, outbox: list[Message]
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    pending, code = client.cookies["sign_in"].value, {"code": digits(outbox)}
    client.post("/login/code/", code)
    client.cookies["sign_in"] = pending
    response = client.post("/login/code/", code)
    assert target(response) == (302, "/profile/")
    assert Device.objects.count() == 1


@pytest.mark.parametrize("path", ["/login/", "/login/code/"])
def test_back_button_after_the_sign_in_shows_the_profile(
    outbox: list[Message], path: str
) -> None:
    """The page has the CSRF token from before the sign-in."""
    client = Client()
    sign_in(client, ALICE, outbox)
    client.handler.enforce_csrf_checks = True
    old = {"csrfmiddlewaretoken": "a" * 64}
    client.cookies["csrftoken"] = "b" * 32
    response = client.post(path, {"code": "1234", "phone_number": BORIS, **old})
    assert target(response) == (302, "/profile/")
    nobody = Client(enforce_csrf_checks=True)
    nobody.cookies["csrftoken"] = "b" * 32
    assert nobody.post(path, {"code": "1234", **old}).status_code == 403


def test_second_request_for_a_code_shows_the_code_page(
    client: Client, outbox: list[Message]
) -> None:
    again = twin(client)
    for browser in (client, again):
        response = browser.post("/login/", {"phone_number": ALICE})
        assert target(response) == (302, "/login/code/")
    assert len(outbox) == 1


@pytest.mark.parametrize("path", ["/logout/", "/logout/everywhere/"])
def test_second_sign_out_is_no_error(
    client: Client, outbox: list[Message], path: str
) -> None:
    sign_in(client, ALICE, outbox)
    again = twin(client)
    for browser in (client, again):
        response = browser.post(path)
        assert target(response) == (302, "/")
    assert Device.objects.count() == 0
    assert again.get("/profile/").status_code == 302


def test_second_deletion_of_the_account_is_no_error(
    client: Client, outbox: list[Message]
) -> None:
    sign_in(client, ALICE, outbox)
    again, form = twin(client), {"last_digits": ALICE[-4:]}
    assert target(client.post("/profile/delete/", form)) == (302, "/")
    response = again.post("/profile/delete/", form, follow=True)
    assert response.status_code == 200
    assert response.redirect_chain[-1][0].startswith("/login/")
    assert not User.objects.exists()


def test_second_change_of_number_keeps_the_session_of_the_first(
    client: Client, outbox: list[Message]
) -> None:
    sign_in(client, ALICE, outbox)
    client.post("/profile/phone/", {"phone_number": BORIS})
    codes = {"old_code": digits(outbox[:-1]), "new_code": digits(outbox)}
    again = twin(client)
    assert client.post("/profile/phone/code/", codes).status_code == 302
    receive(client, again.post("/profile/phone/code/", codes))
    assert client.get("/profile/").status_code == 200
    assert User.objects.get().phone_number == BORIS
    assert Device.objects.count() == 1


def test_second_activation_of_an_invite_code_shows_the_profile(
    client: Client, boris: User, outbox: list[Message]
) -> None:
    sign_in(client, ALICE, outbox)
    for _ in range(2):
        form = {"invite_code": boris.invite_code}
        response = client.post("/profile/activate/", form)
        assert target(response) == (302, "/profile/")


def test_loser_of_two_simultaneous_changes_of_number_gets_the_profile(
    client: Client, outbox: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    change = services.change_phone_number

    def lose(**arguments: Any) -> None:
        change(**arguments)  # the other request
        raise CodeExpired

    sign_in(client, ALICE, outbox)
    client.post("/profile/phone/", {"phone_number": BORIS})
    codes = {"old_code": digits(outbox[:-1]), "new_code": digits(outbox)}
    monkeypatch.setattr(services, "change_phone_number", lose)
    response = client.post("/profile/phone/code/", codes)
    assert target(response) == (302, "/profile/")
    assert "sessionid" not in response.cookies
