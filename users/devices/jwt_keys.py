"""What signs JWTs, and which keys are accepted.

Only this service reads refresh tokens: SECRET_KEY signs them (HS256). It signs access
tokens, too, unless JWT_PRIVATE_KEY is set. Then access tokens are signed with that key
(ES256), so that others can check them with the public key, which is published at
/.well-known/jwks.json. They cannot mistake a refresh token for an access token, because
they have no key for it.

Access tokens of either kind are accepted, so that the setting can be changed while
people are signed in.
"""

import base64
import hashlib
import hmac
import json
import re
from functools import lru_cache
from typing import Any

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import (
    TokenBackendError,
    TokenBackendExpiredToken,
)

AUDIENCE = "referral"
# The issuer of tokens from before there was a setting; always accepted.
FIRST_ISSUER = "referral"
# The clocks of two servers may differ.
LEEWAY_SECONDS = 5
_PUBLIC_KEYS = re.compile(
    r"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL
)


class BadKey(ValueError):
    """The text names the setting."""


class KeyRing(TokenBackend):
    """Signs with one key, and accepts several."""

    def __init__(
        self,
        *,
        secrets: list[str],
        private_key: Any,
        public_keys: dict[str, Any],
        issuers: tuple[str, ...],
    ) -> None:
        """The first of the secrets signs unless there is a private key.

        `public_keys` has them by their `kid`, that of the private key first. The first
        of the issuers is written into tokens.
        """
        super().__init__(
            "HS256",
            signing_key=secrets[0],
            audience=AUDIENCE,
            issuer=issuers[0],
            leeway=LEEWAY_SECONDS,
        )
        self.secrets = secrets
        self.private_key = private_key
        self.public_keys = public_keys
        self.issuers = issuers

    def encode(self, payload: dict[str, Any]) -> str:
        if self.private_key is None:
            return super().encode(payload)
        claims = {**payload, "iss": self.issuer, "aud": self.audience}
        kid = next(iter(self.public_keys))
        return jwt.encode(claims, self.private_key, "ES256", headers={"kid": kid})

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        try:
            return self._decode(token)
        except jwt.ExpiredSignatureError as error:
            raise TokenBackendExpiredToken from error
        except jwt.InvalidTokenError as error:
            raise TokenBackendError from error

    def _decode(self, token: str) -> dict[str, Any]:
        algorithm, keys = self._keys_for(token)
        for key in keys:
            try:
                return jwt.decode(
                    token,
                    key,
                    algorithms=[algorithm],
                    audience=self.audience,
                    issuer=self.issuers,
                    leeway=self.get_leeway(),
                )
            except jwt.InvalidSignatureError:
                continue
        raise jwt.InvalidSignatureError

    def _keys_for(self, token: str) -> tuple[str, list[Any]]:
        """One algorithm and its own keys: a public key is never used as a secret."""
        if self.public_keys:
            header = jwt.get_unverified_header(token)
            if header.get("alg") == "ES256":
                key = self.public_keys.get(header.get("kid", ""))
                return "ES256", [] if key is None else [key]
        return "HS256", self.secrets


def for_access_tokens() -> KeyRing:
    """Raises BadKey."""
    return _key_ring(
        settings.SECRET_KEY,
        tuple(settings.SECRET_KEY_FALLBACKS),
        (*settings.JWT_ISSUER, FIRST_ISSUER),
        settings.JWT_PRIVATE_KEY,
        settings.JWT_PUBLIC_KEYS,
    )


def for_refresh_tokens() -> KeyRing:
    return _key_ring(
        settings.SECRET_KEY,
        tuple(settings.SECRET_KEY_FALLBACKS),
        (*settings.JWT_ISSUER, FIRST_ISSUER),
    )


def public_key_set() -> list[dict[str, Any]]:
    """The public keys as JSON Web Keys (RFC 7517); none without ES256."""
    return [
        {**_jwk(key), "use": "sig", "alg": "ES256", "kid": kid}
        for kid, key in for_access_tokens().public_keys.items()
    ]


@lru_cache(maxsize=8)
def _key_ring(
    secret_key: str,
    fallbacks: tuple[str, ...],
    issuers: tuple[str, ...],
    private: str = "",
    public: str = "",
) -> KeyRing:
    private_key = _read_private_key(private) if private else None
    keys = [private_key.public_key()] if private_key else []
    keys += _read_public_keys(public) if public else []
    return KeyRing(
        secrets=[_secret(key) for key in (secret_key, *fallbacks)],
        private_key=private_key,
        public_keys={_thumbprint(key): key for key in keys},
        issuers=issuers,
    )


def _secret(secret_key: str) -> str:
    # A key of its own: nothing else that SECRET_KEY signs is accepted as a JWT.
    return hmac.digest(secret_key.encode(), b"users.jwt", "sha256").hex()


def _read_private_key(pem: str) -> Any:
    # Imported only if there is a key: it costs memory.
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    try:
        key = serialization.load_pem_private_key(_lines(pem), password=None)
    except (ValueError, TypeError):  # no PEM; encrypted
        key = None
    if key is None or not _is_p256(key):
        raise BadKey("JWT_PRIVATE_KEY is not an unencrypted P-256 private key in PEM.")
    return key


def _read_public_keys(pems: str) -> list[Any]:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    text = _lines(pems).decode()
    try:
        keys = [
            serialization.load_pem_public_key(pem.encode())
            for pem in _PUBLIC_KEYS.findall(text)
        ]
    except ValueError:
        keys = []
    # A private key in it would be a secret in the wrong place.
    if not keys or _PUBLIC_KEYS.sub("", text).strip() or not all(map(_is_p256, keys)):
        raise BadKey("JWT_PUBLIC_KEYS is not a list of P-256 public keys in PEM.")
    return keys


def _lines(pem: str) -> bytes:
    """An environment variable often has `\\n` where a file has new lines."""
    return pem.replace("\\n", "\n").encode()


def _is_p256(key: Any) -> bool:
    return getattr(getattr(key, "curve", None), "name", "") == "secp256r1"


def _jwk(key: Any) -> dict[str, str]:
    return jwt.algorithms.ECAlgorithm.to_jwk(key, as_dict=True)


def _thumbprint(key: Any) -> str:
    """RFC 7638: the SHA-256 of the key's required members, sorted, without spaces."""
    members = {name: _jwk(key)[name] for name in ("crv", "kty", "x", "y")}
    text = json.dumps(members, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
