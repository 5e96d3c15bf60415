"""Limits on invite codes that are tried or looked up, and on edits of a profile."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client as Browser
from rest_framework.test import APIClient

from config.env import Limit
from conftest import ALICE, BORIS, ask_for_code, open_session, signed_in
from users.login.tests.conftest import VERIFY, at, guess, number, refused_by, send
from users.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("changeable_limits")]


def test_failed_activations(settings: LazySettings, alice: User, boris: User) -> None:
    settings.LIMITS["activation_failures_per_user"] = Limit(3, 3600)
    client = signed_in(boris)
    for _ in range(3):
        body = {"invite_code": "000000"}
        assert client.post("/api/profile/", body).status_code == 400
    body = {"invite_code": alice.invite_code}
    response = client.post("/api/profile/", body)
    assert refused_by(response) == "activation_failures_per_user"


def test_activations_that_succeed_cost_nothing(
    settings: LazySettings, alice: User, boris: User
) -> None:
    settings.LIMITS["activation_failures_per_user"] = Limit(1, 3600)
    for _ in range(5):
        body = {"invite_code": alice.invite_code}
        assert signed_in(boris).post("/api/profile/", body).status_code == 200


def test_lookups_of_invite_codes(settings: LazySettings, alice: User) -> None:
    settings.LIMITS["lookups_per_address"] = Limit(2, 3600)
    page = f"/i/{alice.invite_code}/"
    assert at("192.0.2.1").get(page).status_code == 200
    response = send(at("192.0.2.1"), ALICE, invite_code=alice.invite_code)
    assert response.status_code == 200
    response = at("192.0.2.1").get(page)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    response = send(at("192.0.2.1"), BORIS, invite_code=alice.invite_code)
    assert refused_by(response) == "lookups_per_address"
    assert at("192.0.2.2").get(page).status_code == 200


def test_invite_codes_tried_by_a_number_while_signing_in(
    settings: LazySettings, alice: User
) -> None:
    settings.LIMITS["activation_failures_per_user"] = Limit(4, 3600)
    code = ask_for_code(at("192.0.2.1"), BORIS)
    body = {"phone_number": BORIS, "code": code, "invite_code": "000000"}
    tries = [
        at(f"192.0.2.{n}").post(path, body)
        for n, path in enumerate([VERIFY, "/api/auth/jwt/create/"] * 3)
    ]
    assert [response.status_code for response in tries] == [400] * 4 + [429] * 2
    assert refused_by(tries[-1]) == "activation_failures_per_user"
    # Not even the right one is found now. Without one the sign-in goes on.
    right = {"invite_code": alice.invite_code}
    assert guess(at("192.0.2.9"), BORIS, code, **right).status_code == 429
    signed_in_now = guess(at("192.0.2.9"), BORIS, code)
    assert signed_in_now.status_code == 200
    # The account is the same subject as the number was before it existed.
    token = signed_in_now.json()["token"]
    owner = APIClient(headers={"authorization": f"Token {token}"})
    response = owner.post("/api/profile/", right)
    assert refused_by(response) == "activation_failures_per_user"


def test_invite_codes_tried_from_an_address_on_any_path(
    settings: LazySettings, alice: User, boris: User
) -> None:
    client, phone_number = at("192.0.2.1"), number(1)
    code = ask_for_code(client, phone_number)
    owner = signed_in(boris)
    there = {"x-forwarded-for": "192.0.2.1"}
    visitor, browser = Browser(headers=there), Browser(headers=there)
    open_session(browser, boris)
    body = {"phone_number": phone_number, "code": code, "invite_code": "000000"}
    one = {"invite_code": "000000"}
    paths: dict[str, Callable[[], Any]] = {
        "request-code": lambda: send(client, number(2), **one),
        "verify-code": lambda: client.post(VERIFY, body),
        "jwt/create": lambda: client.post("/api/auth/jwt/create/", body),
        "profile": lambda: owner.post("/api/profile/", one, headers=there),
        "look-up": lambda: client.get("/api/invite-codes/000000/"),
        "activate": lambda: browser.get("/profile/activate/", one),
        "activate, confirmed": lambda: browser.post("/profile/activate/", one),
        "link": lambda: browser.get("/i/000000/"),
        "link, accepted": lambda: visitor.post("/login/invite/", one),
    }
    settings.LIMITS["lookups_per_address"] = Limit(len(paths), 3600)
    first = {name: try_it().status_code for name, try_it in paths.items()}
    assert set(first.values()) == {400, 404}
    then = {name: try_it().status_code for name, try_it in paths.items()}
    assert set(then.values()) == {429}


def test_invited_sign_ins_at_one_address_cost_nothing(
    settings: LazySettings, alice: User
) -> None:
    settings.LIMITS["lookups_per_address"] = Limit(1, 3600)
    settings.LIMITS["lookups_per_user"] = Limit(1, 3600)
    for n in range(3):
        code = ask_for_code(at("192.0.2.1"), number(n))
        body = {"invite_code": alice.invite_code}
        response = guess(at("192.0.2.1"), number(n), code, **body)
        assert response.json()["invite_code_applied"] is True


def test_a_stranger_cannot_use_up_the_look_ups_of_a_number(
    settings: LazySettings, alice: User, boris: User
) -> None:
    settings.LIMITS["lookups_per_user"] = Limit(2, 3600)
    for _ in range(3):
        send(at("192.0.2.1"), BORIS, invite_code="000000")
    body = {"invite_code": alice.invite_code}
    assert signed_in(boris).post("/api/profile/", body).status_code == 200


def test_edits_of_a_profile(settings: LazySettings, alice: User) -> None:
    settings.LIMITS["profile_edits_per_user"] = Limit(2, 3600)
    client = signed_in(alice)
    for name in ("A", "B"):
        body = {"first_name": name}
        assert client.patch("/api/profile/", body).status_code == 200
    response = client.patch("/api/profile/", {"first_name": "C"})
    assert refused_by(response) == "profile_edits_per_user"
