"""JWTs: a short access token, and a refresh token that works once."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from conftest import ALICE, Clock, ask_for_code, error_of, signed_in
from tests.lab.shared import wrong
from users.devices import jwt_keys
from users.devices.jwt_tokens import access_token, issue_refresh_token
from users.devices.token_authentication import issue_token
from users.login.clients import Client
from users.models import Device, User
from users.profile.services import close_account

pytestmark = pytest.mark.django_db

CREATE = "/api/auth/jwt/create/"
REFRESH = "/api/auth/jwt/refresh/"
VERIFY = "/api/auth/jwt/verify/"
READ = "/api/profile/referrals/"
KEY = jwt_keys.for_refresh_tokens().secrets[0]

Body = dict[str, Any]


def new_pair(user: User) -> Body:
    device, refresh = issue_refresh_token(user=user, user_agent="test")
    return {"access": access_token(device), "refresh": refresh}


def refresh(token: str) -> Any:
    return APIClient().post(REFRESH, {"refresh": token})


def read(access: str, scheme: str = "Bearer") -> Any:
    return APIClient().get(READ, HTTP_AUTHORIZATION=f"{scheme} {access}")


def statuses(pair: Body) -> tuple[int, int]:
    """Of the access token and, without using it up, of the refresh token."""
    verified = APIClient().post(VERIFY, {"token": pair["refresh"]})
    return read(pair["access"]).status_code, verified.status_code


def claims_of(token: str) -> Body:
    claims: Body = jwt.decode(token, options={"verify_signature": False})
    return claims


def forged(key: str = KEY, algorithm: str = "HS256", **changes: Any) -> str:
    """An access token as ours, with changes; None takes a claim away."""
    device = Device.objects.get()
    claims = {
        "token_type": "access",
        "exp": timezone.now() + timedelta(minutes=5),
        "iat": timezone.now(),
        "jti": "0" * 32,
        "iss": "referral",
        "aud": "referral",
        "sub": str(device.user_id),
        "sid": device.pk,
        "did": device.random_id and device.random_id.hex,
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm)


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


def test_an_access_token_ends_after_10_minutes(alice: User, clock: Clock) -> None:
    access = new_pair(alice)["access"]
    clock.pass_seconds(604)  # five seconds for clocks that differ
    assert read(access).status_code == 200
    clock.pass_seconds(1)
    assert read(access).status_code == 401


def test_a_refresh_gives_the_next_pair(
    alice: User, clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = new_pair(alice)
    clock.pass_seconds(timedelta(days=60).total_seconds())
    with django_assert_num_queries(2):  # device; its next digest
        response = refresh(first["refresh"])
    assert response.status_code == 200
    second = response.json()
    assert set(second) == {
        *("access", "access_expires_in", "refresh", "refresh_expires_at")
    }
    assert statuses(second) == (200, 200)
    device = Device.objects.get()
    assert device.last_used_at == timezone.now()
    assert device.expires_at == timezone.now() + timedelta(days=90)
    assert second["refresh_expires_at"] == "2027-04-20T12:00:00Z"


def test_refreshing_keeps_a_device_for_a_year(alice: User, clock: Clock) -> None:
    pair = new_pair(alice)
    for _ in range(4):
        clock.pass_seconds(timedelta(days=89).total_seconds())
        pair = refresh(pair["refresh"]).json()
    assert pair["refresh_expires_at"] == "2027-11-21T12:00:00Z"
    clock.pass_seconds(timedelta(days=9).total_seconds())
    assert statuses(pair) == (401, 401)
    assert refresh(pair["refresh"]).status_code == 401


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


def test_devices_from_before_random_ids_stay_signed_in(
    alice: User, clock: Clock
) -> None:
    pair = new_pair(alice)
    Device.objects.update(random_id=None)
    assert statuses(pair) == (401, 401)
    assert read(forged(sub=None)).status_code == 200
    old = forged(sub=None, token_type="refresh", jti=claims_of(pair["refresh"])["jti"])
    second = refresh(old).json()
    assert statuses(second) == (200, 200)
    clock.pass_seconds(11)
    assert refresh(old).status_code == 401
    assert statuses(second) == (401, 401)


def test_a_refresh_token_sent_again_ends_the_device(alice: User, clock: Clock) -> None:
    other, first = new_pair(alice), new_pair(alice)
    second = refresh(first["refresh"]).json()
    clock.pass_seconds(11)
    response = refresh(first["refresh"])
    assert response.status_code == 401
    assert error_of(response)["code"] == "token_invalid"
    assert statuses(second) == (401, 401)
    assert refresh(second["refresh"]).status_code == 401
    assert statuses(other) == (200, 200)


def test_a_refresh_whose_answer_is_lost_may_be_repeated_once(
    alice: User, clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = new_pair(alice)
    lost = refresh(first["refresh"]).json()
    clock.pass_seconds(10)
    with django_assert_num_queries(3):  # device; the digest was replaced; now it is
        response = refresh(first["refresh"])
    assert response.status_code == 200
    second = response.json()
    assert statuses(second) == (200, 200)
    assert second["refresh"] != lost["refresh"]
    assert refresh(second["refresh"]).status_code == 200
    assert Device.objects.count() == 1


def test_after_a_repeat_the_first_answer_signs_the_device_out(alice: User) -> None:
    """A thief who makes the repeat is found out when the owner refreshes."""
    first = new_pair(alice)
    owner = refresh(first["refresh"]).json()
    thief = refresh(first["refresh"]).json()
    assert statuses(owner) == (200, 401)
    assert refresh(owner["refresh"]).status_code == 401
    assert statuses(thief) == (401, 401)
    assert refresh(thief["refresh"]).status_code == 401


@pytest.mark.parametrize(
    ("first_to_last", "seconds_between"),
    [
        ("0 0 0", 0),  # twice repeated
        ("0 1 0", 0),  # the next one was used
        ("0 0 2 0", 0),  # that of the repeat was used
        ("0 0 2 1", 0),
        ("0 1 1 2", 0),
        ("0 0", 11),
        ("0 0 0", 6),  # a repeat does not begin another ten seconds
    ],
)
def test_any_other_repeat_signs_the_device_out(
    alice: User, clock: Clock, first_to_last: str, seconds_between: int
) -> None:
    """The numbers name refresh tokens in the order in which they were given."""
    other, pairs = new_pair(alice), [new_pair(alice)]
    *good, last = [int(number) for number in first_to_last.split()]
    for number in good:
        answer = refresh(pairs[number]["refresh"])
        assert answer.status_code == 200
        pairs.append(answer.json())
        clock.pass_seconds(seconds_between)
    assert refresh(pairs[last]["refresh"]).status_code == 401
    assert {statuses(pair) for pair in pairs} == {(401, 401)}
    assert statuses(other) == (200, 200)


def test_asking_for_codes_signs_nothing_out(alice: User) -> None:
    first = new_pair(alice)
    second = refresh(first["refresh"]).json()
    assert statuses(first) == (200, 401)
    assert statuses(second) == (200, 200)


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


def bearer(pair: Body) -> APIClient:
    return APIClient(headers={"authorization": f"Bearer {pair['access']}"})


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


def test_an_old_header_keeps_nobody_from_refreshing(alice: User) -> None:
    pair = new_pair(alice)
    client = APIClient(headers={"authorization": "Bearer expired"})
    assert client.post(REFRESH, {"refresh": pair["refresh"]}).status_code == 200
