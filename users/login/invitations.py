"""Invite codes that apps send with a request for a login code, until the sign-in.

An invite code is remembered for the number and the address that asked. Anybody may ask
for a code to somebody else's number; what they send must not count for its owner, who
signs in from another address.
"""

from django.core.cache import cache

from limits.budgets import hashed_key
from users.login.clients import Client
from users.phones import PhoneNumber

# The longest LOGIN_CODE_TTL_SECONDS. The last codes of a day live longer; then the app
# has to send the invite code again.
REMEMBERED_SECONDS = 3600


def remember(invite_code: str, phone_number: PhoneNumber, client: Client) -> None:
    cache.set(_key(phone_number, client), invite_code, REMEMBERED_SECONDS)


def recall(phone_number: PhoneNumber, client: Client) -> str | None:
    """The one sent last for this number from this address."""
    invite_code: str | None = cache.get(_key(phone_number, client))
    return invite_code


def _key(phone_number: PhoneNumber, client: Client) -> str:
    return hashed_key(f"invitation {phone_number.pseudonym} {client.address}")
