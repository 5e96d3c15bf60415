"""Messages as Standard Webhooks defines them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import json
from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from standardwebhooks import Webhook

from webhooks.models import Event

SECRET_PREFIX = "whsec_"  # noqa: S105  a prefix, from the standard
# The standard's bounds for the number of bytes of a symmetric secret.
SECRET_BYTES = range(24, 65)


@dataclass(frozen=True, slots=True)
class Message:
    headers: dict[str, str]
    body: str


def message(event: Event) -> Message:
    """The event, signed now with each of the secrets. Its body never changes."""
    body = json.dumps(
        {
            "type": event.type,
            "timestamp": event.created_at.isoformat(),
            "data": event.data,
        },
        separators=(",", ":"),
    )
    id_, now = str(event.pk), timezone.now()
    signatures = [
        Webhook(secret).sign(id_, now, body) for secret in settings.WEBHOOK_SECRETS
    ]
    headers = {
        "content-type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return Message(headers, body)


def is_sound_secret(secret: str) -> bool:
    try:
        key = b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except NotBase64:
        return False
    return secret.startswith(SECRET_PREFIX) and len(key) in SECRET_BYTES
