import time

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from users.phones import (
    HasExtension,
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


MARKS = [
    *("\u00a0", "\u2009", "\u2007", "\u202f", "\u3000", "\t", ".", "-", "\u2011"),
    *("\u200e", "\u200f", "\u200d", "\u200c", "\u2060", "\ufeff", "\u00ad", "\ufe0f"),
    *("\U000e0041", "(", ")", "–", "−", "·"),
]
DIGITS = [
    "0123456789",
    "٠١٢٣٤٥٦٧٨٩",
    "۰۱۲۳۴۵۶۷۸۹",
    "०१२३४५६७८९",
    "０１２３４５６７８９",
]


@pytest.mark.parametrize(
    "text",
    [
        "0079991234567",
        "00 7 999 123-45-67",
        "+7\t999_123.45.67",
        "tel:+7-999-123-45-67",
        "tel:+7%20999%201234567",
        "Тел.: +7 999 123-45-67",
        "+7 999 123-45-67 (WhatsApp)",
        "+7 999 123-45-67 (Вайбер)",
        "'+79991234567",  # as in our CSV files
        "«+7 999 123 45 67»",
        "(+7) 999 123-45-67,",
        "\u202a+7 999 123\u202c 45 67",
        "+7\u200b9\u200b9\u200b9\u200b1\u200b2\u200b3\u200b4\u200b5\u200b6\u200b7"
        + " " * 60,
    ],
)
def test_marks_and_labels_around_a_number_are_ignored(text: str) -> None:
    assert normalize_phone_number(text) == "+79991234567"


@given(
    st.lists(st.sampled_from(MARKS), min_size=11, max_size=11),
    st.lists(st.sampled_from(DIGITS), min_size=11, max_size=11),
    st.sampled_from(["+", "＋", "00", "\u200e+"]),
)
def test_a_decorated_number_is_read_as_itself(
    marks: list[str], scripts: list[str], plus: str
) -> None:
    text = plus
    for digit, mark, script in zip("79991234567", marks, scripts, strict=True):
        text += script[int(digit)] + mark
    if ".." not in text:
        assert normalize_phone_number(text) == "+79991234567"


@given(st.integers(0, 11), st.characters(categories=["L"]))
def test_a_letter_is_never_part_of_a_number(place: int, letter: str) -> None:
    if letter in "\u115f\u1160\u3164\uffa0":  # invisible, although called letters
        return
    for rest in ("79991234567"[place:], "79991234567"[place + 1 :]):
        with pytest.raises(NotAPhoneNumber):
            normalize_phone_number("+" + "79991234567"[:place] + letter + rest)


@pytest.mark.parametrize(
    "text",
    [
        "+7 999 OOO 1234",
        "+7 999 OOOOOOO",
        "+1-800-FLOWERS",
        "+7999•••••67",
        "+49 30 1234__",
        "+49 30 123...45",
        "+43 664 12 -- 56",
        "+43 664 12 – – 56",
        "+43 664 12 ·· 56",
        "+43 664 12 [ ] 56",
        "+43 664 12 () 56",
        "+49 30 123456/57",
        "+79991234567 +79991234568",
        "+7 999 123 45 67²",
        "+39 6 12345678",
        "+55 11 8123-4567",
    ],
)
def test_what_could_be_another_number_is_refused(text: str) -> None:
    with pytest.raises(NotAPhoneNumber):
        normalize_phone_number(text)


@pytest.mark.parametrize(
    "extension", [" доб. 12", " ext. 12", "x12", ";ext=12", "#12", ",12", " (доб. 12)"]
)
def test_an_extension_is_told_apart(extension: str) -> None:
    with pytest.raises(HasExtension):
        normalize_phone_number(f"+7 999 123-45-67{extension}")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+54 9 11 2345-6789", "+5491123456789"),
        ("+54 11 2345-6789", "+5491123456789"),
        ("+54 11 15 2345-6789", "+5491123456789"),
        ("+52 1 55 1234 5678", "+525512345678"),
        ("+52 55 1234 5678", "+525512345678"),
        ("+229 95 12 34 56", "+2290195123456"),
        ("+229 01 95 12 34 56", "+2290195123456"),
        ("+39 06 1234 5678", "+390612345678"),
    ],
)
def test_one_sim_card_has_one_number(text: str, number: str) -> None:
    assert normalize_phone_number(text) == number


@pytest.mark.parametrize(
    "text",
    ["+7999" + "[" * 195, "7" + " ,;" * 66, "x" * 200, "1" + "ext " * 49, "+" * 200],
)
def test_a_long_text_takes_no_longer_than_a_moment(text: str) -> None:
    started = time.process_time()
    with pytest.raises(NotAPhoneNumber):
        normalize_phone_number(text)
    assert time.process_time() - started < 0.02
