"""JWTs: the pair that a sign-in gives, what it may do, and what ends it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from conftest import ALICE, Clock, ask_for_code, error_of, signed_in
from tests.lab.shared import wrong
from users.devices.tests.conftest import (
    READ,
    Body,
    bearer,
    claims_of,
    new_pair,
    read,
    refresh,
    statuses,
)
from users.devices.token_authentication import issue_token
from users.login.clients import Client
from users.models import Device, User
from users.profile.services import close_account

pytestmark = pytest.mark.django_db

CREATE = "/api/auth/jwt/create/"


def test_a_sign_in_gives_a_pair(api: APIClient, clock: Clock) -> None:
    code = ask_for_code(api, ALICE)
    response = api.post(CREATE, {"phone_number": "8 (999) 000-00-01", "code": code})
    assert response.status_code == 200
    body = response.json()
    user = User.objects.get()
    access, refreshing = claims_of(body.pop("access")), claims_of(body.pop("refresh"))
    assert Client("", body.pop("device_token")).known_device(ALICE)
    assert body == {
        "access_expires_in": 600,
        "refresh_expires_at": "2027-02-19T12:00:00Z",
        "is_new_user": True,
        "invite_code_applied": False,
        "user": {
            "id": user.pk,
            "phone_number": ALICE,
            "first_name": "",
            "last_name": "",
            "email": "",
            "invite_code": user.invite_code,
            "invite_link": f"http://testserver/i/{user.invite_code}/",
            "activated_invite_code": None,
        },
    }
    now, device = int(timezone.now().timestamp()), Device.objects.get()
    common = {"iss": "referral", "aud": "referral", "iat": now, "sid": device.pk}
    common |= {"sub": str(user.pk), "did": device.random_id and device.random_id.hex}
    assert access.pop("jti") != refreshing.pop("jti")
    assert access == {**common, "token_type": "access", "exp": now + 600}
    days_90 = 90 * 24 * 3600
    assert refreshing == {**common, "token_type": "refresh", "exp": now + days_90}


def test_an_invite_code_comes_along(api: APIClient, alice: User, boris: User) -> None:
    code = ask_for_code(api, alice.phone_number)
    body = {"phone_number": alice.phone_number, "code": code}
    answer = api.post(CREATE, {**body, "invite_code": boris.invite_code}).json()
    assert answer["invite_code_applied"] is True
    assert answer["user"]["activated_invite_code"] == boris.invite_code


def test_jwt_sign_in_refuses_as_verify_code_does(api: APIClient, alice: User) -> None:
    code = ask_for_code(api, ALICE)
    body = {"phone_number": ALICE, "code": code}
    assert error_of(api.post(CREATE, {**body, "code": 42}))["attr"] == "code"
    refusal = error_of(api.post(CREATE, {**body, "code": wrong(code)}))
    assert (refusal["code"], refusal["attempts_left"]) == ("code_incorrect", 4)
    refusal = error_of(api.post(CREATE, {**body, "invite_code": "ZZZZZZ"}))
    assert refusal["code"] == "invite_code_unknown"
    User.objects.update(is_active=False)
    assert error_of(api.post(CREATE, body))["code"] == "account_inactive"
    assert not Device.objects.exists()
    User.objects.update(is_active=True)
    assert api.post(CREATE, body).status_code == 200
    assert error_of(api.post(CREATE, body))["code"] == "code_expired"
    assert error_of(api.post("/api/auth/verify-code/", body))["code"] == "code_expired"


def test_an_access_token_costs_one_query(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    api = APIClient(headers={"authorization": f"bearer {new_pair(alice)['access']}"})
    with django_assert_num_queries(1):  # device, user and activation
        assert api.get(READ, {"cursor": "cD14"}).status_code == 404


def test_a_jwt_may_do_what_a_token_may(alice: User, boris: User) -> None:
    api = APIClient(headers={"authorization": f"Bearer {new_pair(alice)['access']}"})
    assert api.get("/api/profile/").json()["phone_number"] == ALICE
    body = {"invite_code": boris.invite_code}
    assert api.post("/api/profile/", body).status_code == 200
    assert api.patch("/api/profile/", {"first_name": "Alice"}).status_code == 200


def test_an_access_token_ends_after_10_minutes(alice: User, clock: Clock) -> None:
    access = new_pair(alice)["access"]
    clock.pass_seconds(604)  # five seconds for clocks that differ
    assert read(access).status_code == 200
    clock.pass_seconds(1)
    assert read(access).status_code == 401


def test_a_jwt_is_not_for_a_later_device_with_the_same_primary_key(
    alice: User,
) -> None:
    pair = new_pair(alice)
    primary_key = Device.objects.get().pk
    # As if a backup without the device was restored. The user has the primary key of
    # the lost one, too.
    Device.objects.all().delete()
    _, token = issue_token(user=alice, user_agent="")
    Device.objects.update(id=primary_key)
    assert statuses(pair) == (401, 401)
    assert refresh(pair["refresh"]).status_code == 401
    assert read(token, "Token").status_code == 200


ENDS: dict[str, Callable[[User, Body], Any]] = {
    "logout": lambda alice, pair: bearer(pair).post("/api/auth/logout/"),
    "logout-all": lambda alice, pair: bearer(pair).post("/api/auth/logout-all/"),
    "logout-all elsewhere": lambda alice, pair: signed_in(alice).post(
        "/api/auth/logout-all/"
    ),
    "closing": lambda alice, pair: close_account(alice),
    "deactivation": lambda alice, pair: User.objects.update(is_active=False),
    "deletion": lambda alice, pair: alice.delete(),
    "90 days": lambda alice, pair: Device.objects.update(expires_at=timezone.now()),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_end_of_the_device_is_its_jwts_end(alice: User, end: str) -> None:
    pair = new_pair(alice)
    assert statuses(pair) == (200, 200)
    ENDS[end](alice, pair)
    assert statuses(pair) == (401, 401)
    assert refresh(pair["refresh"]).status_code == 401


def test_opening_an_account_again_revives_no_jwt(alice: User) -> None:
    pair = new_pair(alice)
    close_account(alice)
    User.objects.update(is_active=True)
    assert statuses(pair) == (401, 401)


def test_logout_ends_this_device_only(alice: User) -> None:
    phone, laptop, token = new_pair(alice), new_pair(alice), signed_in(alice)
    assert bearer(phone).post("/api/auth/logout/").status_code == 204
    assert statuses(phone) == (401, 401)
    assert statuses(laptop) == (200, 200)
    assert token.get(READ).status_code == 200


def test_each_kind_is_good_for_its_own_use_only(alice: User) -> None:
    pair = new_pair(alice)
    _, secret = issue_token(user=alice, user_agent="")
    assert read(pair["refresh"]).status_code == 401
    assert refresh(pair["access"]).status_code == 401
    assert read(secret).status_code == 401
    assert refresh(secret).status_code == 401
    for text in (pair["access"], pair["refresh"], claims_of(pair["refresh"])["jti"]):
        assert read(text, "Token").status_code == 401
    assert statuses(pair) == (200, 200)


def test_nothing_kept_is_a_token(alice: User) -> None:
    pair = new_pair(alice)
    kept = Device.objects.values().get()
    assert claims_of(pair["refresh"])["jti"] not in str(kept)
    assert read(kept["digest"], "Token").status_code == 401


def test_another_secret_key_ends_every_jwt(alice: User, clock: Clock) -> None:
    pair = new_pair(alice)
    with override_settings(SECRET_KEY="another " * 8):
        assert refresh(pair["refresh"]).status_code == 401
