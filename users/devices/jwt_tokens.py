"""`Authorization: Bearer …`: a short access token, and a refresh token that works once.

Both name a device, a row of `Token`, and are worth nothing without it: whatever signs
the device out ends them at the next request. The row keeps a digest of the refresh
token in force. An older one that turns up was copied, so it ends the device.
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
    UntypedToken,
)
from rest_framework_simplejwt.tokens import Token as AnyToken

from config.monitoring import audit
from users.devices.exceptions import TokenInvalid
from users.devices.token_authentication import add_device
from users.models import Token, User

DEVICE = "sid"  # the claim that names the row

JWT = TypeVar("JWT", bound=AnyToken)


class Refreshed(NamedTuple):
    device: Token
    token: str


def issue_refresh_token(*, user: User, device: str) -> tuple[Token, str]:
    """A new device, and the refresh token that gives it access tokens."""
    refresh = RefreshToken()
    row = add_device(user=user, device=device, digest=_digest(refresh))
    return row, _signed(refresh, row)


def access_token(device: Token) -> str:
    return _signed(AccessToken(), device)


def refresh(token: str) -> Refreshed:
    """Exchange a refresh token for the next one.

    Of several exchanges at once one wins. Raises TokenInvalid; a token that has been
    exchanged before ends its device, for whoever holds the newer one, too.
    """
    old, new = _read(RefreshToken, token), RefreshToken()
    device = _device(old)
    if device is None:
        raise TokenInvalid
    digest = _digest(new)
    device.last_used_at = timezone.now()
    device.expires_at = device.last_used_at + Token.idle_lifetime()
    # Nothing but the row's own columns: PostgreSQL judges these again after a wait.
    changed = Token.objects.filter(pk=device.pk, digest=_digest(old)).update(
        digest=digest, last_used_at=device.last_used_at, expires_at=device.expires_at
    )
    if not changed:
        _end_copied(device)
        raise TokenInvalid
    return Refreshed(device, _signed(new, device))


def verify(token: str) -> None:
    """Whether an access or a refresh token would be taken; raises TokenInvalid."""
    claims = _read(UntypedToken, token)
    device = _device(claims)
    if device is None:
        raise TokenInvalid
    is_refresh = claims["token_type"] == RefreshToken.token_type
    if is_refresh and device.digest != _digest(claims):
        raise TokenInvalid


class JWTAuthentication(authentication.TokenAuthentication):
    keyword = "Bearer"

    def authenticate_credentials(self, key: str) -> tuple[User, Token]:
        try:
            device = _device(_read(AccessToken, key))
        except TokenInvalid:
            device = None
        if device is None:
            raise AuthenticationFailed(
                _("The token is not valid or has expired. Refresh it or sign in again.")
            )
        return device.user, device

    def authenticate_header(self, request: Request) -> str:
        return f"Token, {TokenInvalid.auth_header}"


def _read(kind: type[JWT], token: Any) -> JWT:
    """Checks all that needs no database; raises TokenInvalid."""
    try:
        return kind(token)
    except TokenError:
        raise TokenInvalid from None


def _device(token: AnyToken) -> Token | None:
    devices = Token.objects.live().select_related("user__activation")
    return devices.filter(pk=token[DEVICE]).first()


def _signed(token: AnyToken, device: Token) -> str:
    token[DEVICE] = device.pk
    return str(token)


def _digest(token: AnyToken) -> str:
    # Keyed, so that no text sent as `Authorization: Token` has the same digest.
    mac = salted_hmac("users.jwt", token["jti"], algorithm="sha256")
    return mac.hexdigest()


def _end_copied(device: Token) -> None:
    ended, _rows = Token.objects.filter(pk=device.pk).delete()
    if ended:
        audit.record("token.reuse_detected", user=device.user_id, device=device.pk)
