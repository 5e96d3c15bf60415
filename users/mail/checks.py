from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def email_can_be_sent(**kwargs: Any) -> list[CheckMessage]:
    if not settings.EMAIL_NOTICES:
        return []
    found: list[CheckMessage] = []
    if settings.EMAIL_USE_SSL and settings.EMAIL_USE_TLS:
        text = "EMAIL_USE_SSL and EMAIL_USE_TLS: turn on one of them."
        found.append(Error(text, id="config.E065"))
    if not settings.DEBUG:
        needed = {
            "EMAIL_HOST": settings.EMAIL_HOST,
            "DEFAULT_FROM_EMAIL": settings.DEFAULT_FROM_EMAIL != "webmaster@localhost",
            "PUBLIC_URL": settings.PUBLIC_URL,
        }
        for name in (name for name, value in needed.items() if not value):
            text = f"{name} is not set: EMAIL_NOTICES needs it."
            found.append(Error(text, id="config.E066"))
    return found
