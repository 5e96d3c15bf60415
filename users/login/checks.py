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
