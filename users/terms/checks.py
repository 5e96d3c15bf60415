from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from users.models import TermsAcceptance


@register()
def terms_can_be_read_and_stored(**kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.TERMS_VERSION and not settings.TERMS_URL:
        text = "TERMS_URL is not set: people must be able to read what they accept."
        found.append(Error(text, id="config.E060"))
    longest = TermsAcceptance._meta.get_field("version").max_length or 0
    if len(settings.TERMS_VERSION) > longest:
        text = f"TERMS_VERSION is longer than {longest} characters."
        found.append(Error(text, id="config.E061"))
    for name in ("TERMS_URL", "PRIVACY_URL"):
        url = getattr(settings, name)
        if url and not url.startswith(("https://", "http://")):
            text = f"{name} does not begin with https://."
            found.append(Error(text, id="config.E062"))
    return found
