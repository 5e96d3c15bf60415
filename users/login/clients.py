"""Who is asking: an address, and perhaps a device that has been on the number before.

A device that has signed in on a number carries a signed word of it, which gives it
small budgets of its own: whatever strangers do to the number's, the owner still gets
in. The word signs nobody in.
"""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing

from users.phones import pseudonym

KNOWN_FOR_SECONDS = 365 * 24 * 3600
_SALT = "users.clients"


@dataclass(frozen=True, slots=True)
class Client:
    address: str
    device_token: str = ""

    def knows(self, phone_number: str) -> bool:
        """Whether this device has signed in on this number before."""
        try:
            known = signing.loads(
                self.device_token, salt=_SALT, max_age=KNOWN_FOR_SECONDS
            )
        except signing.BadSignature:
            return False
        keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        return known in {pseudonym(phone_number, key) for key in keys}


def issue_device_token(phone_number: str) -> str:
    return signing.dumps(pseudonym(phone_number), salt=_SALT)
