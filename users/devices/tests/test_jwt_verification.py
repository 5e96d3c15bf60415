"""No JWT but ours is accepted, and gateways may ask whether one is."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from conftest import Clock, error_of
from users.devices.tests.conftest import (
    KEY,
    REFRESH,
    VERIFY,
    Body,
    bearer,
    claims_of,
    forged,
    new_pair,
    read,
)
from users.models import Device, User

pytestmark = pytest.mark.django_db

BAD: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "no JWT": lambda: "wrong",
    "two words": lambda: f"{forged()} {forged()}",
    "not UTF-8": lambda: "\xff\xfe",
    "not ASCII": lambda: "t\xf6ken.\xfc.\xdf",
    "dots": lambda: "..",
    "signature cut off": lambda: forged().rpartition(".")[0] + ".",
    "signature changed": lambda: forged()[:-4] + "AAAA",
    "claims changed": lambda: _with_claims(forged(), sid=1),
    "huge": lambda: "x" * 1_000_000,
    "huge with dots": lambda: forged() + "." * 100_000,
    "algorithm none": lambda: forged("", "none"),
    "algorithm none, signed": lambda: _with_header(forged(), alg="none"),
    "another algorithm": lambda: forged(KEY, "HS512"),
    "an algorithm that is no text": lambda: _with_header(forged(), alg=["HS256"]),
    "another key": lambda: forged("k" * 64),
    "SECRET_KEY": lambda: forged(settings.SECRET_KEY),
    "its own key": lambda: _with_header(forged("k" * 64), jwk={"k": "k" * 64}),
    "a header nested too deeply": lambda: _b64("[" * 100_000) + ".e30.AA",
    "expired": lambda: forged(exp=timezone.now() - timedelta(seconds=6)),
    "of tomorrow": lambda: forged(iat=timezone.now() + timedelta(days=1)),
    "no expiry": lambda: forged(exp=None),
    "no id": lambda: forged(jti=None),
    "no kind": lambda: forged(token_type=None),
    "another kind": lambda: forged(token_type="refresh"),
    "another issuer": lambda: forged(iss="elsewhere"),
    "no issuer": lambda: forged(iss=None),
    "another audience": lambda: forged(aud="elsewhere"),
    "no audience": lambda: forged(aud=None),
}


def _b64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _with_header(token: str, **header: Any) -> str:
    changed = {**jwt.get_unverified_header(token), **header}
    return f"{_b64(json.dumps(changed))}.{token.split('.', 1)[1]}"


def _with_claims(token: str, **claims: Any) -> str:
    header, _, signature = token.split(".")
    changed = json.dumps({**claims_of(token), **claims})
    return f"{header}.{_b64(changed)}.{signature}"


def test_the_forging_helpers_make_valid_tokens(alice: User) -> None:
    new_pair(alice)
    assert read(forged()).status_code == 200


@pytest.mark.parametrize("what", BAD)
@pytest.mark.filterwarnings("ignore:The HMAC key is")
def test_a_bad_access_token_is_refused_without_a_query(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries, what: str
) -> None:
    new_pair(alice)
    bad = BAD[what]()
    with django_assert_num_queries(0):
        response = read(bad)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Token, Bearer realm="api"'
    assert error_of(response)["code"] == "authentication_failed"


# Too long, or for another kind of token than the body asks for.
HEADER_ONLY = {"nothing", "not UTF-8", "huge", "huge with dots", "no kind"}
HEADER_ONLY |= {"a header nested too deeply", "another kind"}


@pytest.mark.parametrize("what", sorted(set(BAD) - HEADER_ONLY))
@pytest.mark.parametrize(("path", "name"), [(REFRESH, "refresh"), (VERIFY, "token")])
@pytest.mark.filterwarnings("ignore:The HMAC key is")
def test_so_it_is_where_it_is_sent_in_the_body(
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    what: str,
    path: str,
    name: str,
) -> None:
    new_pair(alice)
    bad = BAD[what]()
    with django_assert_num_queries(0):
        response = APIClient().post(path, {name: bad})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    error = error_of(response)
    assert (error["code"], error["attr"]) == ("token_invalid", None)


@given(st.text(), st.sampled_from([(REFRESH, "refresh"), (VERIFY, "token")]))
@hypothesis_settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_text_breaks_it(
    django_assert_num_queries: Any, text: str, sent: tuple[str, str]
) -> None:
    path, name = sent
    with django_assert_num_queries(0):
        response = APIClient().post(path, {name: text})
    assert response.status_code in {400, 401}


@pytest.mark.parametrize(
    "changes", [{"did": None}, {"did": None, "sub": None}, {"did": "0" * 32}]
)
def test_a_jwt_without_the_random_id_of_the_device_is_refused(
    alice: User, changes: Body
) -> None:
    new_pair(alice)
    assert read(forged(**changes)).status_code == 401


def test_a_jwt_of_another_user_is_refused(alice: User, boris: User) -> None:
    new_pair(alice)
    assert read(forged(sub=str(boris.pk))).status_code == 401


@pytest.mark.parametrize(
    ("token_type", "expires_at"),
    [("access", "2026-11-21T12:10:00Z"), ("refresh", "2027-02-19T12:00:00Z")],
)
def test_a_valid_jwt_is_verified(
    alice: User,
    clock: Clock,
    django_assert_num_queries: DjangoAssertNumQueries,
    token_type: str,
    expires_at: str,
) -> None:
    pair = new_pair(alice)
    with django_assert_num_queries(1):  # device
        response = APIClient().post(VERIFY, {"token": pair[token_type]})
    assert response.status_code == 200
    assert response.json() == {
        "user_id": alice.pk,
        "device_id": Device.objects.get().pk,
        "token_type": token_type,
        "expires_at": expires_at,
    }


def test_a_jwt_expires_with_its_device(alice: User, clock: Clock) -> None:
    pair = new_pair(alice)
    Device.objects.update(expires_at=timezone.now() + timedelta(minutes=2))
    for token in pair.values():
        answer = APIClient().post(VERIFY, {"token": token}).json()
        assert answer["expires_at"] == "2026-11-21T12:02:00Z"


def test_a_gateway_verifies_the_access_token_of_a_request(
    alice: User, clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    pair = new_pair(alice)
    with django_assert_num_queries(1):  # device
        response = bearer(pair).get(VERIFY)
    assert response.status_code == 200
    assert response["X-User-Id"] == str(alice.pk)
    assert response.json() == {
        "user_id": alice.pk,
        "device_id": Device.objects.get().pk,
        "token_type": "access",
        "expires_at": "2026-11-21T12:10:00Z",
    }
    Device.objects.all().delete()
    assert bearer(pair).get(VERIFY).status_code == 401


def test_a_gateway_passes_on_what_a_browser_accepts(alice: User) -> None:
    pair = new_pair(alice)
    for accept in ("text/html", "image/avif,image/webp", ""):
        assert bearer(pair).get(VERIFY, HTTP_ACCEPT=accept).status_code == 200


def test_a_gateway_may_pass_on_more_spaces(alice: User) -> None:
    access = new_pair(alice)["access"]
    for header in (f"Bearer  {access}", f" bearer {access} ", f"Bearer\t{access}"):
        client = APIClient(headers={"authorization": header})
        assert client.get("/api/profile/").status_code == 200
        assert client.get(VERIFY).status_code == 200


HEADERS: dict[str, Callable[[Body], str]] = {
    "none": lambda pair: "",
    "scheme only": lambda pair: "Bearer",
    "no scheme": lambda pair: pair["access"],
    "another scheme": lambda pair: f"Token {pair['access']}",
    "two tokens": lambda pair: f"Bearer {pair['access']} {pair['access']}",
    "refresh token": lambda pair: f"Bearer {pair['refresh']}",
    "not ASCII": lambda pair: "Bearer t\xf6ken.\xfc.\xdf",
}


@pytest.mark.parametrize("what", HEADERS)
def test_a_gateway_accepts_nothing_else(alice: User, what: str) -> None:
    header = HEADERS[what](new_pair(alice))
    response = APIClient().get(VERIFY, HTTP_AUTHORIZATION=header)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert error_of(response)["code"] == "token_invalid"
    assert "X-User-Id" not in response
