from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from webhooks.messages import is_sound_secret


@register()
def webhooks_are_whole(**kwargs: Any) -> list[CheckMessage]:
    url, secrets = settings.WEBHOOK_URL, settings.WEBHOOK_SECRETS
    found: list[CheckMessage] = []
    if bool(url) != bool(secrets):
        text = "WEBHOOK_URL and WEBHOOK_SECRET: set both or neither."
        found.append(Error(text, id="config.E020"))
    schemes = ("https://", "http://") if settings.DEBUG else ("https://",)
    if url and not url.startswith(schemes):
        text = f"WEBHOOK_URL does not begin with {' or '.join(schemes)}."
        found.append(Error(text, id="config.E021"))
    if not all(map(is_sound_secret, secrets)):
        text = "WEBHOOK_SECRET is not whsec_ and 24 to 64 bytes in base64."
        found.append(Error(text, id="config.E022"))
    return found
