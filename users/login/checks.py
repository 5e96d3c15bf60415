from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register

from users.login import fixed_codes
from users.login import takeover_risk as risk


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
def limits_keep_their_promises(**kwargs: Any) -> list[CheckMessage]:
    hint = "`manage.py check_limits` shows the arithmetic."
    return [Warning(f"{text} {hint}", id="config.W002") for text in risk.problems()]
