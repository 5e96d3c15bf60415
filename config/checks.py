"""What must be set before the service may start outside DEBUG; one sentence each."""

import logging
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.utils import translation
from phonenumbers import SUPPORTED_REGIONS

from users.login import fixed_codes
from users.login import takeover_risk as risk
from users.sms import backend_class
from users.sms.text import fits_one_segment, login_code_text
from webhooks.messages import is_sound_secret

logger = logging.getLogger(__name__)

LONGEST_CODE = 8  # digits, as LOGIN_CODE_LENGTH and LOGIN_CODE_GROWTH allow


def _missing(name: str, why: str, number: int) -> Error:
    return Error(f"{name} is not set: {why}", id=f"config.E{number:03}")


@register()
def production_is_configured(**kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG:
        return []
    found: list[CheckMessage] = []
    key = settings.SECRET_KEY
    if key == settings.DEVELOPMENT_SECRET_KEY:
        found.append(
            _missing("SECRET_KEY", "codes and sessions are signed with it.", 1)
        )
    elif len(key) < 50:
        found.append(
            Error("SECRET_KEY is shorter than 50 characters.", id="config.E002")
        )
    if not settings.ALLOWED_HOSTS:
        found.append(
            _missing("ALLOWED_HOSTS", "name the hosts that this service answers to.", 3)
        )
    if settings.DATABASE_IS_EMBEDDED:
        found.append(
            _missing("DATABASE_URL", "SQLite is for development; use PostgreSQL.", 4)
        )
    if not settings.REDIS_URL:
        found.append(
            _missing(
                "REDIS_URL", "codes and limits must be shared by all processes.", 5
            )
        )
    return found


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
def phone_region_exists(**kwargs: Any) -> list[CheckMessage]:
    region = settings.PHONE_DEFAULT_REGION
    if region in SUPPORTED_REGIONS:
        return []
    return [Error(f"PHONE_DEFAULT_REGION: {region!r} is no region.", id="config.E006")]


@register()
def sms_backend_fits(**kwargs: Any) -> list[CheckMessage]:
    try:
        backend = backend_class()
    except ImportError as error:
        return [Error(f"SMS_BACKEND: {error}.", id="config.E007")]
    simulated = backend.simulated
    if problems := backend.problems():
        return [Error(problem, id="config.E009") for problem in problems]
    if settings.SHOW_LOGIN_CODES and not simulated:
        return [
            Error(
                "SHOW_LOGIN_CODES is on while SMS_BACKEND really sends: "
                "anyone could sign in as anyone.",
                id="config.E008",
            )
        ]
    if settings.SHOW_LOGIN_CODES and not settings.DEBUG:
        text = "SHOW_LOGIN_CODES is on: anyone can sign in as anyone. For demos only."
        return [Warning(text, id="config.W001")]
    return []


@register()
def codes_fit_one_sms(**kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for language, name in settings.LANGUAGES:
        with translation.override(language):
            text = login_code_text() % {"code": "0" * LONGEST_CODE}
        if not fits_one_segment(text):
            message = f"The SMS in {name} is billed as two: {len(text)} characters."
            hint = "Take a shorter SMS_WEBOTP_DOMAIN."
            found.append(Warning(message, hint=hint, id="config.W003"))
    return found


@register()
def test_numbers_are_sound(**kwargs: Any) -> list[CheckMessage]:
    try:
        live = fixed_codes.live()
    except ValueError as error:
        return [Error(str(error), id="config.E010")]
    if not live:
        return []
    text = (
        f"TEST_NUMBERS: {len(live)} sign in without an SMS, by a code that does not "
        f"change: {', '.join(map(str, live))}."
    )
    return [Warning(text, id="config.W004")]


@register()
def codes_are_hard_to_guess(**kwargs: Any) -> list[CheckMessage]:
    chance = max(
        risk.takeover_chance_in_a_year(),
        risk.takeover_chance_in_a_year_by_a_known_device(),
    )
    if chance <= risk.HIGH_TAKEOVER_CHANCE:
        return []
    text = (
        f"The limits let a patient attacker into a number with {chance:.1%} in a year."
        " `manage.py check_limits` shows the arithmetic."
    )
    return [Warning(text, id="config.W002")]


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


@register()
def metrics_are_protected(**kwargs: Any) -> list[CheckMessage]:
    if not settings.METRICS_TOKEN or len(settings.METRICS_TOKEN) >= 20:
        return []
    text = "METRICS_TOKEN is shorter than 20 characters."
    return [Error(text, id="config.E023")]


def check_before_serving() -> None:
    """For servers, which run no checks of their own.

    Raises ImproperlyConfigured with one sentence an error; warnings go to the log.
    """
    found = run_checks()
    errors = [message for message in found if message.is_serious()]
    if errors:
        raise ImproperlyConfigured("\n".join(f"{e.msg} ({e.id})" for e in errors))
    for warning in found:
        logger.warning("%s (%s)", warning.msg, warning.id)
    if backend_class().simulated:
        logger.warning("SMS_BACKEND only simulates: no code will reach a phone.")
