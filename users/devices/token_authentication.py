"""`Authorization: Token …`: random tokens, kept as digests, expiring when idle.

The header is read by DRF. django-rest-knox would keep tokens the same way, but walks
all tokens of the user at each request and fails on a token that is not UTF-8.
"""

import hashlib
import secrets
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed

from users.models import Token, User

# A token in use is written to this often at most: a write a day, not a request.
RENEW_EVERY = timedelta(days=1)


def issue_token(*, user: User, device: str) -> tuple[Token, str]:
    """A new token's row, and the token itself in clear, which is seen only here."""
    secret = secrets.token_urlsafe(32)
    return add_device(user=user, device=device, digest=_digest(secret)), secret


def add_device(*, user: User, device: str, digest: str) -> Token:
    now = timezone.now()
    return Token.objects.create(
        digest=digest,
        user=user,
        device="".join(filter(str.isprintable, device))[:200],
        last_used_at=now,
        expires_at=now + Token.idle_lifetime(),
    )


class TokenAuthentication(authentication.TokenAuthentication):
    model = Token

    def authenticate_credentials(self, key: str) -> tuple[User, Token]:
        tokens = Token.objects.live().select_related("user__activation")
        try:
            token = tokens.get(digest=_digest(key))  # first() would order them
        except Token.DoesNotExist:
            text = _("The token is not valid. Sign in again.")
            raise AuthenticationFailed(text) from None
        renew_token(token)
        return token.user, token


def renew_token(token: Token) -> bool:
    """Write down that a token is in use, and move its expiry; whether it was time.

    A staff token has an end that use does not move.
    """
    now = timezone.now()
    if token.is_for_staff or now - token.last_used_at <= RENEW_EVERY:
        return False
    Token.objects.filter(pk=token.pk).update(
        last_used_at=now, expires_at=now + Token.idle_lifetime()
    )
    return True


def _digest(token: str) -> str:
    # 256 random bits need no salt and no slow hash: there is nothing to guess.
    return hashlib.sha256(token.encode()).hexdigest()
