"""`Authorization: Bearer …`: short-lived access tokens, and one-time refresh tokens.

Both name a user and a `Device`, and are valid only while its row exists, so signing the
device out ends them at the next request. The row stores a digest of the current refresh
token. If an older one is sent, somebody has copied it, and the device is signed out.
"""

from typing import Any, NamedTuple, TypeVar

from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import (
    AccessToken,
    RefreshToken,
    Token,
    UntypedToken,
)

from config.monitoring import audit
from users.devices.exceptions import TokenInvalid
from users.devices.token_authentication import add_device
from users.models import Device, User

USER_CLAIM = "sub"
DEVICE_CLAIM = "sid"  # "session id" (OpenID Connect): the primary key of the device
RANDOM_ID_CLAIM = "did"

JWT = TypeVar("JWT", bound=Token)


class Refreshed(NamedTuple):
    device: Device
    token: str  # the next refresh token


def issue_refresh_token(*, user: User, user_agent: str) -> tuple[Device, str]:
    """A new device and its first refresh token."""
    refresh = RefreshToken()
    device = add_device(user=user, user_agent=user_agent, digest=_digest(refresh))
    return device, _signed(refresh, device)


def access_token(device: Device) -> str:
    return _signed(AccessToken(), device)


def refresh(token: str) -> Refreshed:
    """Exchange a refresh token for the next one.

    If several requests exchange the same token at once, one of them succeeds. Raises
    TokenInvalid. A token that was exchanged before also signs its device out, so that
    neither the thief nor the owner goes on without a new code.
    """
    old, new = _decode(RefreshToken, token), RefreshToken()
    device = _find_device(old)
    if device is None:
        raise TokenInvalid
    device.count_use(timezone.now())
    # One UPDATE that names the old digest: of concurrent requests only one matches.
    changed = Device.objects.filter(pk=device.pk, digest=_digest(old)).update(
        digest=_digest(new),
        last_used_at=device.last_used_at,
        expires_at=device.expires_at,
    )
    if not changed:
        _sign_out_copied(device)
        raise TokenInvalid
    return Refreshed(device, _signed(new, device))


def verify(token: str) -> None:
    """Raises TokenInvalid unless the access or refresh token would be accepted."""
    claims = _decode(UntypedToken, token)
    device = _find_device(claims)
    if device is None:
        raise TokenInvalid
    is_refresh = claims["token_type"] == RefreshToken.token_type
    if is_refresh and device.digest != _digest(claims):
        raise TokenInvalid


class JWTAuthentication(authentication.TokenAuthentication):
    keyword = "Bearer"

    def authenticate_credentials(self, key: str) -> tuple[User, Device]:
        try:
            device = _find_device(_decode(AccessToken, key))
        except TokenInvalid:
            device = None
        if device is None:
            raise AuthenticationFailed(
                _("The token is not valid or has expired. Refresh it or sign in again.")
            )
        return device.user, device

    def authenticate_header(self, request: Request) -> str:
        return 'Token, Bearer realm="api"'


def _decode(kind: type[JWT], token: Any) -> JWT:
    """Check signature, kind and expiry; raises TokenInvalid."""
    try:
        return kind(token)
    except TokenError:
        raise TokenInvalid from None


def _find_device(token: Token) -> Device | None:
    devices = Device.objects.live().select_related("user__activation")
    # JWTs that were issued before devices had random ids contain the primary key only.
    # They are valid for the devices of that time, which have no random id.
    if USER_CLAIM in token:
        devices = devices.filter(user=token[USER_CLAIM])
    random_id = token.get(RANDOM_ID_CLAIM)
    return devices.filter(pk=token[DEVICE_CLAIM], random_id=random_id).first()


def _signed(token: Token, device: Device) -> str:
    token[USER_CLAIM] = str(device.user_id)
    token[DEVICE_CLAIM] = device.pk
    if device.random_id:
        token[RANDOM_ID_CLAIM] = device.random_id.hex
    return str(token)


def _digest(token: Token) -> str:
    # Keyed, so that no text sent as `Authorization: Token` can have the same digest.
    mac = salted_hmac("users.jwt", token["jti"], algorithm="sha256")
    return mac.hexdigest()


def _sign_out_copied(device: Device) -> None:
    deleted, _rows = Device.objects.filter(pk=device.pk).delete()
    if deleted:
        audit.record("token.reuse_detected", user=device.user_id, device=device.pk)
