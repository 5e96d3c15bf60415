"""What a browser keeps until its sign-in is done, in signed cookies.

Browsers that are not signed in have no row in the table of sessions: anybody could fill
it. The cookies are signed, not encrypted. A browser shows its own number only.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from users.login.guess_block import GuessBlock, guess_block
from users.login.requesting import CodeSent

SIGN_IN_COOKIE = f"{settings.COOKIE_PREFIX}sign_in"
SIGN_IN_SECONDS = 3600
INVITATION_COOKIE = f"{settings.COOKIE_PREFIX}invitation"
INVITATION_SECONDS = 24 * 3600
# Change the number when the fields change: older cookies are ignored then.
_SALT = "users.login.pending.3"


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """What this browser was told when it asked for a code. None: it was not told."""

    phone_number: str
    resend_at: float  # seconds since the epoch
    expires_at: float | None = None
    code_length: int | None = None
    dev_code: str | None = None
    next_url: str = ""  # where to go after the sign-in
    channel: str | None = None  # how the code was sent
    channels: Sequence[str] = ()  # how the next one can be asked for
    delivery_id: str | None = None  # for `channels.deliveries`
    blocked_until: float = 0  # no guesses until then; seconds since the epoch

    @classmethod
    def of(cls, sent: CodeSent, next_url: str) -> PendingSignIn:
        now = time.time()
        return cls(
            phone_number=sent.phone_number,
            resend_at=now + sent.resend_in,
            expires_at=now + sent.expires_in,
            code_length=sent.code_length,
            dev_code=sent.dev_code,
            next_url=next_url,
            channel=sent.channel,
            channels=sent.channels,
            delivery_id=sent.delivery_id,
        )

    @property
    def resend_in(self) -> int:
        """Seconds until the number may ask for a code again."""
        return max(math.ceil(self.resend_at - time.time()), 0)

    @property
    def guess_block(self) -> GuessBlock | None:
        return guess_block(self.blocked_until)

    @property
    def minutes(self) -> int | None:
        """How long the code is valid, for people."""
        if self.expires_at is None:
            return None
        return max(round((self.expires_at - time.time()) / 60), 1)

    @property
    def hours(self) -> int | None:
        """As `minutes`, for a code that is valid for longer than people count them."""
        if self.minutes is None or self.minutes < 100:
            return None
        return round(self.minutes / 60)

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= time.time()


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invite code that a person accepted, and whose it is, as they saw it."""

    invite_code: str
    inviter: str
    came_by: str = ""  # a value of CameBy


def pending_sign_in(request: HttpRequest) -> PendingSignIn | None:
    kept = _read(request, SIGN_IN_COOKIE, SIGN_IN_SECONDS)
    return PendingSignIn(**kept) if kept else None


def accepted_invitation(request: HttpRequest) -> Invitation | None:
    kept = _read(request, INVITATION_COOKIE, INVITATION_SECONDS)
    return Invitation(**kept) if kept else None


def keep_sign_in(response: HttpResponse, pending: PendingSignIn) -> None:
    _write(response, SIGN_IN_COOKIE, asdict(pending), SIGN_IN_SECONDS)


def keep_invitation(response: HttpResponse, invitation: Invitation) -> None:
    _write(response, INVITATION_COOKIE, asdict(invitation), INVITATION_SECONDS)


def forget(response: HttpResponse, *cookies: str) -> None:
    for cookie in cookies:
        response.delete_cookie(cookie, samesite="Lax")


def _read(request: HttpRequest, cookie: str, seconds: int) -> dict[str, Any] | None:
    try:
        kept: dict[str, Any] = signing.loads(
            request.COOKIES.get(cookie, ""), salt=f"{_SALT}.{cookie}", max_age=seconds
        )
    except signing.BadSignature:
        return None
    return kept


def _write(
    response: HttpResponse, cookie: str, kept: dict[str, Any], seconds: int
) -> None:
    response.set_cookie(
        cookie,
        signing.dumps(kept, salt=f"{_SALT}.{cookie}"),
        max_age=seconds,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
