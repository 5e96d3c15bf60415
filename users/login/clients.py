"""Who asks: an address, and perhaps a device that has signed in on the number before.

Each sign-in gives the device a signed token that names the number. It signs nobody in.
It gives the device small limits of its own, so that the owner can still sign in after
strangers have used up the limits of the number.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from limits.addresses import client_address
from users.phones import PhoneNumber, pseudonym

KNOWN_FOR_SECONDS = 365 * 24 * 3600
# Outlives the browser's session.
KNOWN_DEVICE_COOKIE = f"{settings.COOKIE_PREFIX}known_device"
# Its name before it had a prefix: a device that has it stays known.
_FORMER_COOKIE = "known_device"
_SALT = "users.clients"


@dataclass(frozen=True, slots=True)
class Client:
    address: str
    known_device_token: str = ""
    user_agent: str = ""

    @classmethod
    def of(cls, request: HttpRequest, known_device_token: str | None = None) -> Client:
        """Apps send the token with the request; browsers have it in a cookie."""
        if known_device_token is None:
            former = request.COOKIES.get(_FORMER_COOKIE, "")
            known_device_token = request.COOKIES.get(KNOWN_DEVICE_COOKIE, former)
        return cls(
            address=client_address(request),
            known_device_token=known_device_token,
            user_agent=request.headers.get("User-Agent", ""),
        )

    def has_signed_in_on(self, phone_number: PhoneNumber) -> bool:
        """Whether this device has signed in on this number before."""
        if not self.known_device_token:
            return False
        try:
            signed = signing.loads(
                self.known_device_token, salt=_SALT, max_age=KNOWN_FOR_SECONDS
            )
        except signing.BadSignature:
            return False
        return signed == phone_number.pseudonym or signed in {
            pseudonym(phone_number, key) for key in settings.SECRET_KEY_FALLBACKS
        }


def issue_known_device_token(pseudonym: str) -> str:
    """For a device that has just signed in on the number with this pseudonym."""
    return signing.dumps(pseudonym, salt=_SALT)


def set_known_device_cookie(response: HttpResponse, known_device_token: str) -> None:
    response.set_cookie(
        KNOWN_DEVICE_COOKIE,
        known_device_token,
        max_age=KNOWN_FOR_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
