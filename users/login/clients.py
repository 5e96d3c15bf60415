"""Who asks: an address, and perhaps a device that has signed in on the number before.

Each sign-in gives the device a signed token. It names the number and the device, and
contains the key that the account has for its known devices. It signs nobody in. It
gives the device small limits of its own, so that the owner can still sign in after
strangers have used up the limits of the number. It ends when the account gets another
key: when the owner signs out everywhere or changes the number, and when the account is
closed or deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from limits.addresses import client_address
from users.models import User
from users.phones import PhoneNumber, pseudonym

KNOWN_FOR_SECONDS = 365 * 24 * 3600
# Outlives the browser's session.
KNOWN_DEVICE_COOKIE = f"{settings.COOKIE_PREFIX}known_device"
_SALT = "users.known_device"


@dataclass(frozen=True, slots=True)
class Client:
    address: str
    known_device_token: str = ""
    user_agent: str = ""
    challenge_solution: str = ""

    @classmethod
    def of(
        cls,
        request: HttpRequest,
        known_device_token: str | None = None,
        challenge_solution: str = "",
    ) -> Client:
        """Apps send the token with the request; browsers have it in a cookie."""
        if known_device_token is None:
            known_device_token = request.COOKIES.get(KNOWN_DEVICE_COOKIE, "")
        return cls(
            address=client_address(request),
            known_device_token=known_device_token,
            user_agent=request.headers.get("User-Agent", ""),
            challenge_solution=challenge_solution,
        )

    def known_device(self, phone_number: PhoneNumber) -> str | None:
        """The random id of this device if it has signed in on this number before."""
        if not self.known_device_token:
            return None
        try:
            number, device, key = signing.loads(
                self.known_device_token, salt=_SALT, max_age=KNOWN_FOR_SECONDS
            )
        except signing.BadSignature:
            return None
        # Before the account is looked up: a token of another number must not reveal,
        # even by the time that the answer takes, whether this one has an account.
        secrets = [None, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        if number not in {pseudonym(phone_number, secret) for secret in secrets}:
            return None
        accounts = User.objects.filter(
            phone_number=phone_number, known_devices_key=key, is_active=True
        )
        return device if accounts.exists() else None


def issue_known_device_token(user: User, known_device: str | None = None) -> str:
    """For a device that has just signed in. `known_device`: the random id it had."""
    key = user.known_devices_key
    assert key is not None  # noqa: S101  sign-in and a change of number set it
    number = PhoneNumber(user.phone_number).pseudonym
    signed = [number, known_device or uuid4().hex, key.hex]
    return signing.dumps(signed, salt=_SALT)


def set_known_device_cookie(response: HttpResponse, known_device_token: str) -> None:
    response.set_cookie(
        KNOWN_DEVICE_COOKIE,
        known_device_token,
        max_age=KNOWN_FOR_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
