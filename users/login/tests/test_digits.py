import pytest
from hypothesis import given
from hypothesis import strategies as st

from users.login.digits import InvalidDigits, normalize_digits

SMS = "1234 is your sign-in code.\n@example.com #1234"


@pytest.mark.parametrize(
    "text",
    [
        *("1234", "12-34", "12 34", "1234.", "12.34", "\u200e1234", '"1234"'),
        *("١٢٣٤", "۱۲۳۴", "１２３４", "Code: 1234", SMS),
        "1234 — код для входа, действует 5 минут.",
    ],
)
def test_digits_are_read_as_people_paste_them(text: str) -> None:
    assert normalize_digits(text) == "1234"


@pytest.mark.parametrize(
    "text",
    [
        *("", "abc", "123", "123456789", "12+34", "1,234", "1²34", "O421"),
        *("1234 or 5678", "code 12-34", "Code: 1234" + " " * 500),
    ],
)
def test_digits_that_are_not_one_code_are_refused(text: str) -> None:
    with pytest.raises(InvalidDigits):
        normalize_digits(text)


@given(st.text(max_size=60))
def test_digits_that_were_read_are_read_as_themselves(text: str) -> None:
    try:
        digits = normalize_digits(text)
    except InvalidDigits:
        return
    assert normalize_digits(digits) == digits
