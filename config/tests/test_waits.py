import pytest

from config.waits import clock, try_again_in


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1 second"),
        (89, "89 seconds"),
        (90, "2 minutes"),
        (3600, "60 minutes"),
        (5401, "2 hours"),
        (36 * 3600, "2 days"),
        (31 * 86_400, "31 days"),
    ],
)
def test_waits_are_rounded_up_to_a_unit(seconds: int, text: str) -> None:
    assert try_again_in(seconds) == f"Try again in {text}."


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (65, "1:05"), (3600, "1:00:00"), (3725, "1:02:05")],
)
def test_clocks_count_minutes_and_seconds(seconds: int, text: str) -> None:
    assert clock(seconds) == text
