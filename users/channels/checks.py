from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Warning, register
from django.utils import translation
from django.utils.module_loading import import_string

from users.channels import Backend, Channel
from users.channels.chain import ChainBackend
from users.channels.flash_call import DIGITS
from users.channels.sending import channels, is_simulated
from users.channels.text import fits_one_segment, login_code_text


@register()
def sms_backend_fits(**kwargs: Any) -> list[CheckMessage]:
    try:
        backend: type[Backend] = import_string(settings.SMS_BACKEND)
    except ImportError as error:
        return [Error(f"SMS_BACKEND: {error}.", id="config.E007")]
    if problems := backend.problems():
        return [Error(problem, id="config.E009") for problem in problems]
    if settings.SHOW_LOGIN_CODES and not is_simulated():
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
def chain_is_used(**kwargs: Any) -> list[CheckMessage]:
    path = f"{ChainBackend.__module__}.{ChainBackend.__qualname__}"
    if not settings.SMS_CHAIN or path == settings.SMS_BACKEND:
        return []
    text = f"SMS_CHAIN is ignored: SMS_BACKEND is not {path}."
    return [Warning(text, id="config.W032")]


@register()
def countries_are_named(**kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG or settings.SMS_COUNTRIES:
        return []
    try:
        simulated = is_simulated()
    except ImportError:
        return []  # reported above
    if simulated:
        return []
    text = (
        "SMS_COUNTRIES is empty: SMS are sent to every country, and fraudsters"
        " profit from expensive ones."
    )
    return [Warning(text, id="config.W030")]


@register()
def calls_can_carry_codes(**kwargs: Any) -> list[CheckMessage]:
    try:
        found = channels()
    except ImportError:
        return []  # reported above
    if Channel.CALL not in found:
        return []
    if found == [Channel.CALL]:
        text = (
            f"Calls carry {DIGITS} digits, and codes grow longer: people would get "
            "none. Add another backend to SMS_CHAIN."
        )
        return [Error(text, id="config.E013")]
    if settings.LOGIN_CODE_LENGTH != DIGITS:
        text = f"Calls carry {DIGITS} digits: with this LOGIN_CODE_LENGTH none is made."
        return [Warning(text, id="config.W031")]
    return []


@register()
def codes_fit_one_sms(**kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for language, name in settings.LANGUAGES:
        with translation.override(language):
            text = login_code_text() % {"code": "0" * settings.LOGIN_CODE_MAX_LENGTH}
        if not fits_one_segment(text):
            message = f"The SMS in {name} is billed as two: {len(text)} characters."
            hint = "Take a shorter SMS_WEBOTP_DOMAIN."
            found.append(Warning(message, hint=hint, id="config.W003"))
    return found


@register("serving", deploy=True)
def sms_are_sent(**kwargs: Any) -> list[CheckMessage]:
    try:
        simulated = is_simulated()
    except ImportError:
        return []  # reported above
    if settings.DEBUG or not simulated:
        return []
    text = "SMS_BACKEND only simulates: no code will reach a phone."
    return [Info(text, id="config.I001")]
