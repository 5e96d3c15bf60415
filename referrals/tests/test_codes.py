import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.invite_codes import (
    ALPHABET,
    PATTERN,
    draw_invite_code,
    normalize_invite_code,
)


def test_the_alphabet_has_no_look_alikes() -> None:
    assert len(set(ALPHABET)) == 32
    assert not set(ALPHABET) & set("ILOU")


def test_draws_use_the_whole_alphabet() -> None:
    codes = [draw_invite_code() for _ in range(2_000)]
    assert all(re.fullmatch(PATTERN, code) for code in codes)
    assert set("".join(codes)) == set(ALPHABET)
    assert len(set(codes)) > 1_990


def test_draws_come_from_the_secrets_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "referrals.invite_codes.secrets.choice", lambda letters: letters[-1]
    )
    assert draw_invite_code() == "ZZZZZZ"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("7K9QXT", "7K9QXT"),
        ("  7k9qxt\n", "7K9QXT"),
        ("7K9-QXT", "7K9QXT"),
        ("7 k 9 — q x t", "7K9QXT"),
        ("７Ｋ９ＱＸＴ", "7K9QXT"),  # full-width
        ("7К9QХТ", "7K9QXT"),  # К, Х, Т in Cyrillic
        ("авсенк", "ABCEHK"),
        ("oO0iIl", "000111"),
        ("оОіІӀ1", "001111"),
        ("https://example.com/i/7K9QXT/", "7K9QXT"),
        ("http://localhost:8000/i/7k9qxt", "7K9QXT"),
        ("Join me: https://example.com/i/7K9QXT/?utm=a#b :)", "7K9QXT"),
    ],
)
def test_input_is_read_forgivingly(text: str, code: str) -> None:
    assert normalize_invite_code(text) == code


@pytest.mark.parametrize(
    "text",
    ["", "7K9QX", "7K9QXTT", "7K9QXU", "7K9QX!", "ЖЖЖЖЖЖ", "\x00" * 6, "7K9QXT" * 60],
)
def test_a_text_that_is_no_code_is_none(text: str) -> None:
    assert normalize_invite_code(text) is None


@given(st.text(max_size=400))
def test_any_text_is_a_code_or_none(text: str) -> None:
    code = normalize_invite_code(text)
    assert code is None or re.fullmatch(PATTERN, code)


@given(st.text(ALPHABET, min_size=6, max_size=6))
def test_a_code_is_read_as_itself_in_either_case(code: str) -> None:
    assert normalize_invite_code(code) == normalize_invite_code(code.lower()) == code
