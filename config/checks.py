"""System checks of the settings. Each app checks what is its own in its `checks.py`."""

import logging
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from phonenumbers import SUPPORTED_REGIONS

from config.server.redis_cluster import parse_cluster_url

logger = logging.getLogger(__name__)


def _missing(name: str, why: str, id_: str) -> Error:
    return Error(f"{name} is not set: {why}", id=id_)


@register()
def production_is_configured(**kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG:
        return []
    found: list[CheckMessage] = []
    key = settings.SECRET_KEY
    if key == settings.DEVELOPMENT_SECRET_KEY:
        found.append(
            _missing(
                "SECRET_KEY", "codes and sessions are signed with it.", "config.E001"
            )
        )
    elif len(key) < 50:
        found.append(
            Error("SECRET_KEY is shorter than 50 characters.", id="config.E002")
        )
    elif len(set(key)) < 5 or key.startswith("django-insecure-"):
        # Django's security.W009 says the same, but only `check --deploy` shows it.
        text = "SECRET_KEY is easy to guess: generate a random one."
        found.append(Error(text, id="config.E030"))
    if not settings.ALLOWED_HOSTS:
        found.append(
            _missing(
                "ALLOWED_HOSTS",
                "name the hosts that this service answers to.",
                "config.E003",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        text = "ALLOWED_HOSTS contains *: a client could put any host into links."
        found.append(Error(text, id="config.E031"))
    if settings.DATABASE_IS_EMBEDDED:
        found.append(
            _missing(
                "DATABASE_URL",
                "SQLite is for development; use PostgreSQL.",
                "config.E004",
            )
        )
    if not settings.REDIS_URL:
        found.append(
            _missing(
                "REDIS_URL",
                "codes and limits must be shared by all processes.",
                "config.E005",
            )
        )
    return found


@register()
def lasting_keys_are_set(**kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG:
        return []
    found: list[CheckMessage] = []
    for name in ("INVITEE_KEY_SECRET", "PSEUDONYM_SECRET"):
        if 0 < len(getattr(settings, name)) < 50:
            text = f"{name} is shorter than 50 characters."
            found.append(Error(text, id="config.E040"))
    if settings.WEBHOOK_URL and not settings.INVITEE_KEY_SECRET:
        text = (
            "INVITEE_KEY_SECRET is not set: after a change of SECRET_KEY, a system that"
            " pays for invitations could pay again. To keep today's keys, set it to the"
            " current SECRET_KEY."
        )
        found.append(Warning(text, id="config.W040"))
    return found


@register()
def public_url_is_served(**kwargs: Any) -> list[CheckMessage]:
    if not settings.HTTPS_ONLY or not settings.PUBLIC_URL.startswith("http://"):
        return []
    text = "PUBLIC_URL begins with http://, which HTTPS_ONLY refuses."
    return [Error(text, id="config.E052")]


@register()
def sentinels_know_redis(**kwargs: Any) -> list[CheckMessage]:
    if not settings.REDIS_SENTINELS or settings.REDIS_URL.startswith("redis://"):
        return []
    text = (
        "REDIS_SENTINELS: REDIS_URL must be redis://name/0, with the name that they"
        " watch Redis by; TLS does not work with them."
    )
    return [Error(text, id="config.E011")]


@register()
def cluster_url_is_valid(**kwargs: Any) -> list[CheckMessage]:
    if not settings.REDIS_IS_CLUSTER:
        return []
    try:
        parse_cluster_url(settings.REDIS_URL)
    except ValueError as error:
        text = (
            "REDIS_URL is not like redis+cluster://user:password@one:6379,two:6379:"
            f" {error}."
        )
        return [Error(text, id="config.E051")]
    return []


@register()
def phone_region_exists(**kwargs: Any) -> list[CheckMessage]:
    region = settings.PHONE_DEFAULT_REGION
    if region in SUPPORTED_REGIONS:
        return []
    return [Error(f"PHONE_DEFAULT_REGION: {region!r} is no region.", id="config.E006")]


@register()
def metrics_are_protected(**kwargs: Any) -> list[CheckMessage]:
    if not settings.METRICS_TOKEN or len(settings.METRICS_TOKEN) >= 20:
        return []
    text = "METRICS_TOKEN is shorter than 20 characters."
    return [Error(text, id="config.E023")]


def check_before_serving() -> None:
    """Run all checks, and those for servers only (tag "serving"), before the start.

    Raises ImproperlyConfigured with one sentence for each error; logs the warnings.
    """
    found = run_checks()
    errors = [message for message in found if message.is_serious()]
    if errors:
        raise ImproperlyConfigured("\n".join(f"{e.msg} ({e.id})" for e in errors))
    found += run_checks(tags=["serving"], include_deployment_checks=True)
    for warning in found:
        logger.warning("%s (%s)", warning.msg, warning.id)
