"""Is an invite code real, and whose? Anybody may ask, nobody may harvest."""

from typing import Any
from urllib.parse import quote

import pytest
from django.conf import LazySettings
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from config.env import Limit
from conftest import ALICE, error_of, open_session, signed_in
from users.models import User

pytestmark = pytest.mark.django_db


def look_up(client: APIClient, code: str) -> Any:
    return client.get(f"/api/invite-codes/{quote(code, safe='')}/")


def test_a_real_code_shows_its_owner_masked(
    api: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):  # the owner
        response = look_up(api, alice.invite_code)
    assert response.status_code == 200
    assert response.json() == {
        "invite_code": alice.invite_code,
        "inviter": "+7999•••••01",
    }
    assert ALICE not in response.content.decode()


def test_any_spelling_will_do(api: APIClient) -> None:
    User.objects.create_user(ALICE)
    User.objects.update(invite_code="10ABCE")
    for spelling in ("10abce", "lo-abce", "1O АВСЕ", " 10_AB.CE "):
        assert look_up(api, spelling).json()["invite_code"] == "10ABCE"


@pytest.mark.parametrize(
    "code", ["000000", "UUUUUU", "7K9QX", "'; --", "%00", "\x00", "ы" * 400]
)
def test_unknown_codes_get_one_answer(api: APIClient, alice: User, code: str) -> None:
    response = look_up(api, code)
    assert response.status_code == 404
    assert error_of(response) == {
        "code": "invite_code_unknown",
        "detail": "There is no such invite code.",
        "attr": None,
    }


def test_the_code_of_a_closed_account_has_no_owner(api: APIClient, alice: User) -> None:
    unknown = look_up(api, "000000")
    User.objects.update(is_active=False)
    assert look_up(api, alice.invite_code).json() == unknown.json()


def test_look_ups_of_an_address_are_limited(
    api: APIClient, alice: User, settings: LazySettings
) -> None:
    settings.LIMITS = {**settings.LIMITS, "lookups_per_address": Limit(2, 3600)}
    statuses = [
        look_up(api, code).status_code for code in (alice.invite_code, "0", "1")
    ]
    assert statuses == [200, 404, 429]
    error = error_of(look_up(api, alice.invite_code))
    assert (error["code"], error["limit"]) == ("throttled", "lookups_per_address")


def test_look_ups_of_a_person_are_limited_wherever_they_are(
    alice: User, boris: User, settings: LazySettings
) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    settings.LIMITS = {**settings.LIMITS, "lookups_per_user": Limit(2, 3600)}
    client = signed_in(boris)
    seen = []
    for n in range(3):
        address = {"X-Forwarded-For": f"192.0.2.{n}"}
        seen.append(
            client.get(f"/api/invite-codes/{alice.invite_code}/", headers=address)
        )
    assert [response.status_code for response in seen] == [200, 200, 429]
    assert error_of(seen[-1])["limit"] == "lookups_per_user"
    browser = Client()
    open_session(browser, boris)
    assert browser.get(f"/i/{alice.invite_code}/").status_code == 429
    page = browser.get("/profile/activate/", {"invite_code": alice.invite_code})
    assert page.status_code == 429


def test_a_token_that_has_ended_is_told(api: APIClient, alice: User) -> None:
    api.credentials(HTTP_AUTHORIZATION="Token ended")
    assert look_up(api, alice.invite_code).status_code == 401
