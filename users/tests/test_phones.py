import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from users.phones import (
    NotAPhoneNumber,
    PhoneNumber,
    normalize_phone_number,
    pseudonym,
    spell_phone_number,
)


@pytest.mark.parametrize(
    "text",
    [
        "+79991234567",
        "+7 999 1234567",
        "79991234567",
        "8 (999) 123-45-67",
        "89991234567",
        "9991234567",
        "  +7-999-123.45.67 ",
        "＋７９９９１２３４５６７",  # full-width
        "٨٩٩٩١٢٣٤٥٦٧",  # Arabic-Indic
    ],
)
def test_every_spelling_of_a_number_is_one_number(text: str) -> None:
    assert normalize_phone_number(text) == "+79991234567"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "+7",
        "+7999123456",  # a digit short
        "+799912345678",  # a digit too many
        "+00000000000",
        "+79991234567 ext. 5",
        "+79991234567" + "0" * 40,
        "\x00",
        "+7999\r\n1234567" * 4,
    ],
)
def test_a_number_that_cannot_be_dialled_is_refused(text: str) -> None:
    with pytest.raises(NotAPhoneNumber):
        normalize_phone_number(text)


def test_numbers_of_other_countries_keep_their_code() -> None:
    assert normalize_phone_number("+44 7911 123456") == "+447911123456"


@given(st.text(max_size=60))
def test_any_text_is_a_number_in_e164_or_refused(text: str) -> None:
    try:
        number = normalize_phone_number(text)
    except NotAPhoneNumber:
        return
    assert number[0] == "+"
    assert number[1:].isascii()
    assert number[1:].isdecimal()
    assert 8 <= len(number) <= 16
    assert normalize_phone_number(number) == number


def test_people_read_a_number_in_groups() -> None:
    assert spell_phone_number("+79991234567") == "+7 999 123-45-67"
    assert spell_phone_number("+447911123456") == "+44 7911 123456"


def test_mask_keeps_the_length_and_hides_the_middle() -> None:
    assert PhoneNumber("+79991234567").masked == "+7999•••••67"
    assert PhoneNumber("+6834502").masked == "+6••••02"
    assert PhoneNumber("+290212345").masked == "+29•••••45"


def test_a_pseudonym_outlives_secret_key(settings: LazySettings) -> None:
    before = pseudonym("+79990000001")
    settings.PSEUDONYM_SECRET = settings.SECRET_KEY
    settings.SECRET_KEY = "new" * 20
    assert pseudonym("+79990000001") == before
    settings.PSEUDONYM_SECRET = ""
    assert pseudonym("+79990000001") != before
