"""`Authorization: Token …`: random tokens, stored as digests, that expire when unused.

DRF reads the header. django-rest-knox stores tokens in the same way, but reads all
tokens of a user at each request and fails on a token that is not UTF-8.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed

from users.devices.live_device import find_live_device
from users.models import Device, User
from users.user_agents import readable

# A device in use is written to once a day, not at each request.
RENEW_EVERY = timedelta(days=1)


def issue_token(
    *, user: User, user_agent: str, latest_expiry: datetime | None = None
) -> tuple[Device, str]:
    """A new device and its token. The token cannot be read again later."""
    token = secrets.token_urlsafe(32)
    device = add_device(
        user=user,
        user_agent=user_agent,
        digest=_digest(token),
        latest_expiry=latest_expiry,
    )
    return device, token


def add_device(
    *,
    user: User,
    user_agent: str,
    digest: str,
    latest_expiry: datetime | None = None,
) -> Device:
    now = timezone.now()
    device = Device(
        digest=digest,
        user=user,
        user_agent=readable(user_agent)[:200],
        created_at=now,
    )
    device.count_use(now)
    if latest_expiry:
        device.expires_at = min(device.expires_at, latest_expiry)
    device.save(force_insert=True)
    return device


class TokenAuthentication(authentication.TokenAuthentication):
    model = Device

    def authenticate_credentials(self, key: str) -> tuple[User, Device]:
        device = find_live_device("digest", _digest(key))
        if device is None:
            raise AuthenticationFailed(_("The token is not valid. Sign in again."))
        renew_device(device)
        return device.user, device


def renew_device(device: Device) -> bool:
    """Record that the device is in use and move its expiry, once in RENEW_EVERY.

    Returns whether it did. A staff token's expiry is fixed.
    """
    now = timezone.now()
    if device.is_for_staff or now - device.last_used_at <= RENEW_EVERY:
        return False
    device.count_use(now)
    Device.objects.filter(pk=device.pk).update(
        last_used_at=device.last_used_at, expires_at=device.expires_at
    )
    return True


def _digest(token: str) -> str:
    # A random token of 256 bits cannot be guessed: it needs no salt and no slow hash.
    return hashlib.sha256(token.encode()).hexdigest()
