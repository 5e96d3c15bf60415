"""Keys of JWTs: what others can check with them, what is accepted, how they change.

joserfc, which the service does not use, plays the gateway.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import LazySettings
from django.core.checks import run_checks
from django.utils import timezone
from joserfc import errors as gateway_errors
from joserfc import jwt as gateway_jwt
from joserfc.jwk import ECKey, KeySet
from rest_framework.test import APIClient

from conftest import Clock, error_of
from users.devices import jwt_keys
from users.devices.jwt_tokens import access_token, issue_refresh_token
from users.models import Device, User

pytestmark = pytest.mark.django_db

REFRESH = "/api/auth/jwt/refresh/"
VERIFY = "/api/auth/jwt/verify/"
KEYS = "/.well-known/jwks.json"

Body = dict[str, Any]


def pem_of(key: Any) -> str:
    """In PKCS #8, as OpenSSL writes it."""
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem.decode()


def public_pem_of(key: Any) -> str:
    pem: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode()


OURS, NEXT, ANOTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
KEY_A, KEY_B = pem_of(OURS), pem_of(NEXT)
PUBLIC_A, PUBLIC_B = public_pem_of(OURS), public_pem_of(NEXT)


@pytest.fixture
def es256(settings: LazySettings) -> None:
    settings.JWT_PRIVATE_KEY = KEY_A


@pytest.fixture(autouse=True)
def forget_keys() -> Iterator[None]:
    yield
    jwt_keys._key_ring.cache_clear()


def new_pair(user: User) -> Body:
    device, refresh = issue_refresh_token(user=user, user_agent="test")
    return {"access": access_token(device), "refresh": refresh}


def refresh(token: str) -> Any:
    return APIClient().post(REFRESH, {"refresh": token})


def verify(token: str) -> int:
    return APIClient().post(VERIFY, {"token": token}).status_code


def read(access: str) -> int:
    headers = {"authorization": f"Bearer {access}"}
    return APIClient(headers=headers).get("/api/profile/referrals/").status_code


def published() -> Body:
    response = APIClient().get(KEYS)
    assert response.status_code == 200
    body: Body = response.json()
    return body


def kid_of(key: Any) -> str:
    return ECKey.import_key(public_pem_of(key)).thumbprint()


def pass_gateway(token: str) -> Body:
    """The claims. Raises what joserfc raises."""
    keys = KeySet.import_key_set(published())  # type: ignore[arg-type]  # its TypedDict
    decoded = gateway_jwt.decode(token, keys, algorithms=["ES256"])
    gateway_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": "referral"},
        aud={"essential": True, "value": "referral"},
        exp={"essential": True},
        sub={"essential": True},
    ).validate(decoded.claims)
    return decoded.claims


@pytest.mark.usefixtures("es256")
def test_a_gateway_can_check_an_access_token(alice: User, clock: Clock) -> None:
    access = new_pair(alice)["access"]
    header = jwt.get_unverified_header(access)
    assert header == {"alg": "ES256", "typ": "JWT", "kid": kid_of(OURS)}
    device, now = Device.objects.get(), int(timezone.now().timestamp())
    claims = pass_gateway(access)
    assert len(claims.pop("jti")) == 32
    assert claims == {
        "token_type": "access",
        "iss": "referral",
        "aud": "referral",
        "sub": str(alice.pk),  # a string, by RFC 7519
        "sid": device.pk,
        "did": device.random_id and device.random_id.hex,
        "iat": now,
        "exp": now + 600,
    }
    assert read(access) == verify(access) == 200


@pytest.mark.usefixtures("es256")
def test_a_gateway_accepts_no_refresh_token(alice: User) -> None:
    token = new_pair(alice)["refresh"]
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    with pytest.raises((gateway_errors.JoseError, ValueError)):
        pass_gateway(token)
    assert verify(token) == 200


@pytest.mark.usefixtures("es256")
def test_a_refresh_gives_an_access_token_that_a_gateway_can_check(alice: User) -> None:
    pair = refresh(new_pair(alice)["refresh"]).json()
    assert pass_gateway(pair["access"])["sub"] == str(alice.pk)


@pytest.mark.usefixtures("es256")
def test_only_the_public_key_is_published() -> None:
    response = APIClient().get(KEYS)
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "public, max-age=300"
    (key,) = response.json()["keys"]
    numbers = OURS.public_key().public_numbers()
    for name, number in (("x", numbers.x), ("y", numbers.y)):
        padded = key.pop(name) + "="
        assert base64.urlsafe_b64decode(padded) == number.to_bytes(32)
    assert key == {
        "kty": "EC",
        "crv": "P-256",
        "use": "sig",
        "alg": "ES256",
        "kid": kid_of(OURS),
    }


def test_without_a_private_key_no_keys_are_published() -> None:
    response = APIClient().get(KEYS)
    assert response.status_code == 404
    assert response["Cache-Control"] == "no-store"
    assert error_of(response)["code"] == "not_found"


@pytest.mark.parametrize("accept", ["application/json", "application/jwk-set+json", ""])
@pytest.mark.usefixtures("es256")
def test_keys_are_published_whatever_a_client_accepts(accept: str) -> None:
    assert APIClient().get(KEYS, HTTP_ACCEPT=accept).status_code == 200


def test_the_next_key_is_published_before_it_signs(
    alice: User, settings: LazySettings
) -> None:
    settings.JWT_PRIVATE_KEY, settings.JWT_PUBLIC_KEYS = KEY_A, PUBLIC_B
    assert [key["kid"] for key in published()["keys"]] == [kid_of(OURS), kid_of(NEXT)]
    before = new_pair(alice)["access"]
    assert jwt.get_unverified_header(before)["kid"] == kid_of(OURS)
    cached = KeySet.import_key_set(published())  # type: ignore[arg-type]
    settings.JWT_PRIVATE_KEY, settings.JWT_PUBLIC_KEYS = KEY_B, PUBLIC_A
    after = new_pair(alice)["access"]
    assert jwt.get_unverified_header(after)["kid"] == kid_of(NEXT)
    # A gateway that still has the set from before knows the new key already.
    for token in (before, after):
        assert gateway_jwt.decode(token, cached, algorithms=["ES256"])
        assert pass_gateway(token)


OLD, NEW = "old " * 20, "new " * 20
KEPT: dict[str, tuple[Body, Body]] = {
    "HS256, then ES256": ({}, {"JWT_PRIVATE_KEY": KEY_A}),
    "ES256, then HS256": ({"JWT_PRIVATE_KEY": KEY_A}, {"JWT_PUBLIC_KEYS": PUBLIC_A}),
    "another key": (
        {"JWT_PRIVATE_KEY": KEY_A},
        {"JWT_PRIVATE_KEY": KEY_B, "JWT_PUBLIC_KEYS": PUBLIC_A},
    ),
    "another key, on one of two servers": (
        {"JWT_PRIVATE_KEY": KEY_B, "JWT_PUBLIC_KEYS": PUBLIC_A},
        {"JWT_PRIVATE_KEY": KEY_A, "JWT_PUBLIC_KEYS": PUBLIC_B},
    ),
    "the previous and the next key": (
        {"JWT_PRIVATE_KEY": KEY_A},
        {
            "JWT_PRIVATE_KEY": KEY_B,
            "JWT_PUBLIC_KEYS": public_pem_of(ANOTHER) + PUBLIC_B + PUBLIC_A,
        },
    ),
    "another SECRET_KEY": (
        {"SECRET_KEY": OLD},
        {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": ["older", OLD]},
    ),
    "another SECRET_KEY, on one of two servers": (
        {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": [OLD]},
        {"SECRET_KEY": OLD, "SECRET_KEY_FALLBACKS": [NEW]},
    ),
    "another SECRET_KEY with ES256": (
        {"SECRET_KEY": OLD, "JWT_PRIVATE_KEY": KEY_A},
        {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": [OLD], "JWT_PRIVATE_KEY": KEY_A},
    ),
    "an issuer": ({}, {"JWT_ISSUER": ["https://id.example.com"]}),
    "another issuer": (
        {"JWT_ISSUER": ["https://old.example.com"]},
        {"JWT_ISSUER": ["https://new.example.com", "https://old.example.com"]},
    ),
}
ENDED: dict[str, tuple[Body, Body, tuple[int, int]]] = {
    "a leaked key": (
        {"JWT_PRIVATE_KEY": KEY_A},
        {"JWT_PRIVATE_KEY": KEY_B},
        (401, 200),  # apps refresh: only the access tokens end
    ),
    "a leaked SECRET_KEY": ({"SECRET_KEY": OLD}, {"SECRET_KEY": NEW}, (401, 401)),
    "a leaked SECRET_KEY with ES256": (
        {"SECRET_KEY": OLD, "JWT_PRIVATE_KEY": KEY_A},
        {"SECRET_KEY": NEW, "JWT_PRIVATE_KEY": KEY_A},
        (200, 401),
    ),
    "an issuer that is not named any more": (
        {"JWT_ISSUER": ["https://old.example.com"]},
        {"JWT_ISSUER": ["https://new.example.com"]},
        (401, 401),
    ),
}


def configure(settings: LazySettings, values: Body) -> None:
    empty = {"JWT_PRIVATE_KEY": "", "JWT_PUBLIC_KEYS": "", "SECRET_KEY_FALLBACKS": []}
    for name, value in {**empty, **values}.items():
        setattr(settings, name, value)


@pytest.mark.parametrize("change", KEPT)
def test_a_change_of_keys_signs_nobody_out(
    alice: User, settings: LazySettings, change: str
) -> None:
    before, after = KEPT[change]
    configure(settings, before)
    pair = new_pair(alice)
    configure(settings, after)
    assert (read(pair["access"]), verify(pair["refresh"])) == (200, 200)
    second = refresh(pair["refresh"]).json()
    assert (read(second["access"]), verify(second["refresh"])) == (200, 200)
    assert verify(pair["refresh"]) == 401  # used up


@pytest.mark.parametrize("change", ENDED)
def test_without_the_old_key_its_tokens_end(
    alice: User, settings: LazySettings, change: str
) -> None:
    before, after, expected = ENDED[change]
    configure(settings, before)
    pair = new_pair(alice)
    configure(settings, after)
    assert (read(pair["access"]), verify(pair["refresh"])) == expected
    assert refresh(pair["refresh"]).status_code == expected[1]


def test_a_lost_refresh_may_be_repeated_under_another_secret_key(
    alice: User, settings: LazySettings
) -> None:
    configure(settings, {"SECRET_KEY": OLD})
    first = new_pair(alice)
    assert refresh(first["refresh"]).status_code == 200
    configure(settings, {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": [OLD]})
    second = refresh(first["refresh"])
    assert second.status_code == 200
    assert verify(second.json()["refresh"]) == 200
    assert refresh(first["refresh"]).status_code == 401
    assert not Device.objects.exists()


def test_a_refresh_leaves_the_old_secret_key_behind(
    alice: User, settings: LazySettings
) -> None:
    configure(settings, {"SECRET_KEY": OLD})
    pair = new_pair(alice)
    configure(settings, {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": [OLD]})
    pair = refresh(pair["refresh"]).json()
    configure(settings, {"SECRET_KEY": NEW})
    assert (read(pair["access"]), verify(pair["refresh"])) == (200, 200)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(token_type: str = "access", **changes: Any) -> Body:  # noqa: S107
    device = Device.objects.get()
    return {
        "token_type": token_type,
        "exp": int((timezone.now() + timedelta(minutes=5)).timestamp()),
        "iat": int(timezone.now().timestamp()),
        "jti": "0" * 32,
        "iss": "referral",
        "aud": "referral",
        "sub": str(device.user_id),
        "sid": device.pk,
        "did": device.random_id and device.random_id.hex,
        **changes,
    }


def signed(key: Any = OURS, algorithm: str = "ES256", **header: Any) -> str:
    return jwt.encode(claims(), key, algorithm, headers=header)


def by_hand(header: Body, sign: Callable[[bytes], bytes]) -> str:
    """PyJWT itself refuses to sign some of these."""
    parts = [b64(json.dumps(part).encode()) for part in (header, claims())]
    text = ".".join(parts)
    return f"{text}.{b64(sign(text.encode()))}"


def confused(secret: str) -> str:
    """HS256, with something public for the secret."""
    header = {"alg": "HS256", "typ": "JWT", "kid": kid_of(OURS)}
    return by_hand(header, lambda text: hmac.digest(secret.encode(), text, "sha256"))


def jwk_of(key: Any) -> Body:
    return dict(ECKey.import_key(public_pem_of(key)).as_dict(private=False))


FORGED: dict[str, Callable[[], str]] = {
    "HS256 with the public key": lambda: confused(PUBLIC_A),
    "HS256 with the public key, stripped": lambda: confused(PUBLIC_A.strip()),
    "HS256 with the published key": lambda: confused(json.dumps(published()["keys"])),
    "HS256 with the kid": lambda: confused(kid_of(OURS)),
    "HS256 with nothing": lambda: confused(""),
    "none": lambda: by_hand({"alg": "none", "kid": kid_of(OURS)}, lambda _: b""),
    "none, signed": lambda: by_hand(
        {"alg": "none", "kid": kid_of(OURS)}, lambda text: hashlib.sha256(text).digest()
    ),
    "None": lambda: by_hand({"alg": "None", "kid": kid_of(OURS)}, lambda _: b""),
    "no algorithm": lambda: by_hand({"kid": kid_of(OURS)}, lambda _: b""),
    "an algorithm that is a list": lambda: by_hand(
        {"alg": ["ES256"], "kid": kid_of(OURS)}, lambda _: b""
    ),
    "another algorithm": lambda: signed(
        ec.generate_private_key(ec.SECP384R1()), "ES384", kid=kid_of(OURS)
    ),
    "no kid": lambda: signed(),
    "an unknown kid": lambda: signed(kid="unknown"),
    "a kid that is a path": lambda: signed(kid="../../../dev/null"),
    "a kid that is no text": lambda: by_hand(
        {"alg": "ES256", "kid": [kid_of(OURS)]}, lambda _: b""
    ),
    "the kid of another key": lambda: signed(kid=kid_of(NEXT)),
    "another key": lambda: signed(ANOTHER, kid=kid_of(ANOTHER)),
    "another key with our kid": lambda: signed(ANOTHER, kid=kid_of(OURS)),
    "another key, in jwk": lambda: signed(
        ANOTHER, kid=kid_of(ANOTHER), jwk=jwk_of(ANOTHER)
    ),
    "another key with our kid, in jwk": lambda: signed(
        ANOTHER, kid=kid_of(OURS), jwk={**jwk_of(ANOTHER), "kid": kid_of(OURS)}
    ),
    "another key, by jku": lambda: signed(
        ANOTHER, kid=kid_of(ANOTHER), jku="http://127.0.0.1:9/jwks.json"
    ),
    "another key with our kid, by x5u": lambda: signed(
        ANOTHER, kid=kid_of(OURS), x5u="http://127.0.0.1:9/key.pem"
    ),
    "a signature of zeros": lambda: by_hand(
        {"alg": "ES256", "kid": kid_of(OURS)}, lambda _: bytes(64)
    ),
    "no signature": lambda: by_hand(
        {"alg": "ES256", "kid": kid_of(OURS)}, lambda _: b""
    ),
    "a signature in DER": lambda: by_hand(
        {"alg": "ES256", "kid": kid_of(OURS)},
        lambda text: OURS.sign(text, ec.ECDSA(hashes.SHA256())),
    ),
    "a critical header": lambda: signed(kid=kid_of(OURS), crit=["exp"]),
}


def test_the_forging_helpers_make_valid_tokens(
    alice: User, settings: LazySettings
) -> None:
    settings.JWT_PRIVATE_KEY, settings.JWT_PUBLIC_KEYS = KEY_A, PUBLIC_B
    new_pair(alice)
    secret = jwt_keys.for_access_tokens().secrets[0]
    assert read(signed(kid=kid_of(OURS))) == 200
    assert read(signed(NEXT, kid=kid_of(NEXT))) == 200
    assert read(confused(secret)) == 200


@pytest.mark.parametrize("what", FORGED)
@pytest.mark.filterwarnings("ignore:The HMAC key is")
def test_a_forged_token_is_refused(
    alice: User, settings: LazySettings, what: str
) -> None:
    settings.JWT_PRIVATE_KEY, settings.JWT_PUBLIC_KEYS = KEY_A, PUBLIC_B
    new_pair(alice)
    token = FORGED[what]()
    assert read(token) == verify(token) == refresh(token).status_code == 401
    headers = {"authorization": f"Bearer {token}"}
    assert APIClient(headers=headers).get(VERIFY).status_code == 401
    assert Device.objects.exists()


@pytest.mark.usefixtures("es256")
def test_the_private_key_signs_no_refresh_token(alice: User) -> None:
    pair = new_pair(alice)
    jti = jwt.decode(pair["refresh"], options={"verify_signature": False})["jti"]
    body = claims("refresh", jti=jti)
    token = jwt.encode(body, OURS, "ES256", headers={"kid": kid_of(OURS)})
    assert refresh(token).status_code == verify(token) == 401
    assert verify(pair["refresh"]) == 200


def encrypted(key: Any) -> str:
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    )
    return pem.decode()


UNREADABLE: dict[str, tuple[str, Callable[[], str]]] = {
    "no PEM": ("JWT_PRIVATE_KEY", lambda: "secret"),
    "cut off": ("JWT_PRIVATE_KEY", lambda: KEY_A[:80]),
    "public": ("JWT_PRIVATE_KEY", lambda: PUBLIC_A),
    "encrypted": ("JWT_PRIVATE_KEY", lambda: encrypted(OURS)),
    "another curve": (
        "JWT_PRIVATE_KEY",
        lambda: pem_of(ec.generate_private_key(ec.SECP384R1())),
    ),
    "RSA": (
        "JWT_PRIVATE_KEY",
        lambda: pem_of(rsa.generate_private_key(65537, 2048)),
    ),
    "public: no PEM": ("JWT_PUBLIC_KEYS", lambda: "secret"),
    "public: private": ("JWT_PUBLIC_KEYS", lambda: KEY_B),
    "public: one of them private": ("JWT_PUBLIC_KEYS", lambda: PUBLIC_A + KEY_B),
    "public: cut off": ("JWT_PUBLIC_KEYS", lambda: PUBLIC_A.replace("\nM", "\n", 1)),
    "public: another curve": (
        "JWT_PUBLIC_KEYS",
        lambda: public_pem_of(ec.generate_private_key(ec.SECP384R1())),
    ),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_key_that_cannot_be_read_stops_the_start(
    settings: LazySettings, what: str
) -> None:
    name, make = UNREADABLE[what]
    value = make()
    setattr(settings, name, value)
    (error,) = [found for found in run_checks() if found.id == "config.E050"]
    assert error.msg.startswith(name)
    assert value not in error.msg


@pytest.mark.parametrize("write", [str, lambda pem: pem.replace("\n", "\\n")])
def test_a_key_may_stand_on_one_line(
    alice: User, settings: LazySettings, write: Callable[[str], str]
) -> None:
    configure(
        settings,
        {"JWT_PRIVATE_KEY": write(KEY_A), "JWT_PUBLIC_KEYS": write(PUBLIC_B)},
    )
    assert "config.E050" not in {found.id for found in run_checks()}
    assert read(new_pair(alice)["access"]) == 200
    assert len(published()["keys"]) == 2


def test_a_token_names_the_issuer_of_the_setting(
    alice: User, settings: LazySettings
) -> None:
    settings.JWT_ISSUER = ["https://id.example.com"]
    for token in new_pair(alice).values():
        found = jwt.decode(token, options={"verify_signature": False})
        assert found["iss"] == "https://id.example.com"
