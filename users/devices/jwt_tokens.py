"""`Authorization: Bearer …`: short-lived access tokens, and one-time refresh tokens.

Both name a user and a `Device`, and are valid only while its row exists, so signing the
device out ends them at the next request. The row stores a digest of the current refresh
token. If an older one is sent, somebody has copied it, and the device is signed out.

A client whose answer got lost may repeat its refresh once, within REPEAT_SECONDS. The
repeat gives another pair, and the refresh token of the first answer is not valid any
more. So there is one valid refresh token at any time: if a thief has made the repeat,
the owner's next refresh signs both out.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt import tokens as simplejwt
from rest_framework_simplejwt.exceptions import TokenError

from config.monitoring import audit
from users.devices import jwt_keys
from users.devices.exceptions import TokenInvalid
from users.devices.live_device import find_live_device
from users.devices.token_authentication import add_device
from users.models import Device, DeviceQuerySet, User

USER_CLAIM = "sub"
DEVICE_CLAIM = "sid"  # "session id" (OpenID Connect): the primary key of the device
RANDOM_ID_CLAIM = "did"
# Long enough for a client that lost its connection to try again.
REPEAT_SECONDS = 10


class AccessToken(simplejwt.AccessToken):
    @property
    def token_backend(self) -> jwt_keys.KeyRing:
        return jwt_keys.for_access_tokens()


class RefreshToken(simplejwt.RefreshToken):
    @property
    def token_backend(self) -> jwt_keys.KeyRing:
        return jwt_keys.for_refresh_tokens()


JWT = TypeVar("JWT", AccessToken, RefreshToken)


class Refreshed(NamedTuple):
    device: Device
    token: str  # the next refresh token


class Verified(NamedTuple):
    device: Device
    token_type: str
    expires_at: datetime


def issue_refresh_token(*, user: User, user_agent: str) -> tuple[Device, str]:
    """A new device and its first refresh token."""
    refresh = RefreshToken()
    device = add_device(
        user=user, user_agent=user_agent, digest=_digests(refresh["jti"])[0]
    )
    return device, _signed(refresh, device)


def access_token(device: Device) -> str:
    return _signed(AccessToken(), device)


def refresh(token: str) -> Refreshed:
    """Exchange a refresh token for the next one.

    Raises TokenInvalid. A token that was exchanged before also signs its device out, so
    that neither the thief nor the owner goes on without a new code. One repeat within
    REPEAT_SECONDS is no theft: see above.
    """
    old = _decode(RefreshToken, token)
    device = _live_device(old)
    now = timezone.now()
    device.count_use(now)
    next_ids, ids_of_repeat = _next_ids(old["jti"], 1), _next_ids(old["jti"], 2)
    rows = Device.objects.filter(pk=device.pk)
    unused = rows.filter(digest__in=_digests(old["jti"]))
    if _exchange(unused, device, next_ids[0]):
        return Refreshed(device, _refresh_token(device, next_ids[0]))
    just_exchanged = rows.filter(
        digest__in=_digests(*next_ids),
        last_used_at__gte=now - timedelta(seconds=REPEAT_SECONDS),
    )
    if _exchange(just_exchanged, device, ids_of_repeat[0]):
        return Refreshed(device, _refresh_token(device, ids_of_repeat[0]))
    _sign_out_copied(device)
    raise TokenInvalid


def verify(token: str) -> Verified:
    """For an access token or an unused refresh token. Raises TokenInvalid."""
    try:
        claims: AccessToken | RefreshToken = _decode(AccessToken, token)
    except TokenInvalid:
        claims = _decode(RefreshToken, token)
    device = _live_device(claims)
    is_refresh = isinstance(claims, RefreshToken)
    if is_refresh and device.digest not in _digests(claims["jti"]):
        raise TokenInvalid
    return _verified(device, claims)


def verify_header(authorization: str) -> Verified:
    """For an access token in an Authorization header. Raises TokenInvalid."""
    words = authorization.split()  # as DRF reads it at all other endpoints
    if len(words) != 2 or words[0].lower() != "bearer":
        raise TokenInvalid
    claims = _decode(AccessToken, words[1])
    return _verified(_live_device(claims), claims)


class JWTAuthentication(authentication.TokenAuthentication):
    keyword = "Bearer"

    def authenticate_credentials(self, key: str) -> tuple[User, Device]:
        try:
            device = _live_device(_decode(AccessToken, key))
        except TokenInvalid:
            raise AuthenticationFailed(
                _("The token is not valid or has expired. Refresh it or sign in again.")
            ) from None
        return device.user, device

    def authenticate_header(self, request: Request) -> str:
        return 'Token, Bearer realm="api"'


def _decode(kind: type[JWT], token: Any) -> JWT:
    """Check signature, kind and expiry; raises TokenInvalid."""
    try:
        return kind(token)
    except TokenError:
        raise TokenInvalid from None


def _verified(device: Device, claims: AccessToken | RefreshToken) -> Verified:
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    return Verified(device, claims["token_type"], min(expires_at, device.expires_at))


def _live_device(token: AccessToken | RefreshToken) -> Device:
    """The device that is signed in with the token. Raises TokenInvalid."""
    device = find_live_device("id", token[DEVICE_CLAIM])
    if device is None:
        raise TokenInvalid
    # JWTs that were issued before devices had random ids contain the primary key only.
    # They are valid for the devices of that time, which have no random id.
    random_id = device.random_id.hex if device.random_id else None
    user_id = str(device.user_id)
    is_its_own = token.get(RANDOM_ID_CLAIM) == random_id
    if not is_its_own or token.get(USER_CLAIM, user_id) != user_id:
        raise TokenInvalid
    return device


def _refresh_token(device: Device, jti: str) -> str:
    token = RefreshToken()
    token["jti"] = jti
    return _signed(token, device)


def _signed(token: AccessToken | RefreshToken, device: Device) -> str:
    token[USER_CLAIM] = str(device.user_id)
    token[DEVICE_CLAIM] = device.pk
    if device.random_id:
        token[RANDOM_ID_CLAIM] = device.random_id.hex
    return str(token)


def _exchange(rows: DeviceQuerySet, device: Device, jti: str) -> bool:
    """The UPDATE names the old digest, so one of concurrent requests succeeds."""
    changed = rows.update(
        digest=_digests(jti)[0],
        last_used_at=device.last_used_at,
        expires_at=device.expires_at,
    )
    return bool(changed)


def _next_ids(jti: str, number: int) -> list[str]:
    """The id of the refresh token that follows, by each key; the current key first.

    It follows from the id of the token that is exchanged, so a repeat can be recognised
    without storing anything. `number` is 1, or 2 for the repeat.
    """
    return [digest[:32] for digest in _keyed("users.jwt.next", f"{jti} {number}")]


def _digests(*jtis: str) -> list[str]:
    # Keyed, so that no text sent as `Authorization: Token` can have the same digest.
    return [digest for jti in jtis for digest in _keyed("users.jwt", jti)]


def _keyed(purpose: str, text: str) -> list[str]:
    """An HMAC by each key; the current key first."""
    return [
        salted_hmac(purpose, text, secret, algorithm="sha256").hexdigest()
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]


def _sign_out_copied(device: Device) -> None:
    deleted, _rows = Device.objects.filter(pk=device.pk).delete()
    if deleted:
        audit.record("token.reuse_detected", user=device.user_id, device=device.pk)
