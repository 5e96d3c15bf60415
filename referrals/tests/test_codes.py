import re
import time

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from conftest import ALICE, BORIS
from referrals.invite_codes import (
    ALPHABET,
    PATTERN,
    draw_invite_code,
    normalize_invite_code,
)
from referrals.services import activate_invite_code
from users.models import User


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


def test_a_code_of_capitals_is_found_after_a_label() -> None:
    assert normalize_invite_code("Code: ABCEHK, thanks") == "ABCEHK"


@given(st.text(max_size=400))
def test_any_text_is_a_code_or_none(text: str) -> None:
    code = normalize_invite_code(text)
    assert code is None or re.fullmatch(PATTERN, code)


@given(st.text(ALPHABET, min_size=6, max_size=6))
def test_a_code_is_read_as_itself_in_either_case(code: str) -> None:
    assert normalize_invite_code(code) == normalize_invite_code(code.lower()) == code


LINK = "https://example.com/i/7K9QXT/"
WRAPPED = "https%3A%2F%2Fexample.com%2Fi%2F7K9QXT%2F"


@pytest.mark.parametrize(
    "text",
    [
        '"7K9QXT"',
        "«7K9QXT».",
        "(7K9QXT)",
        "*7K9QXT*",
        "Code: 7K9QXT",
        "Code: 7K9 QXT",
        "Code: 7K9QXT, thanks",
        "код приглашения: 7к9-qхт",
        "invitecode:7k9qxt",
        "invite_code: 7K9QXT",
        "\u200b7K9\u200dQXT\ufeff",
        "٧K٩QXT",
        f"({LINK}).",
        f"https://vk.com/away.php?to={WRAPPED}&cc_key=",
        f"https://l.instagram.com/?u={WRAPPED}%3Futm_source%3Dig%26fbclid%3DIw&e=AT0",
        f"https://l.facebook.com/l.php?u={WRAPPED.replace('%', '%25')}&h=AT1",
        f"https://t.me/iv?url={WRAPPED}&rhash=abc",
        "https://example.com/login/?invite=7K9QXT",
        "https://example.com/login/?next=%2Factivate%2F%3Finvite_code%3D7K9QXT",
        f"Join me with my invite code: 7K9QXT {LINK}",
        f"Join me with my invite code: 7K9QXT{LINK}",  # a browser dropped the new line
        f"Присоединяйтесь по моему коду приглашения: 7K9QXT\n{LINK}",
    ],
)
def test_a_code_is_found_in_what_people_paste(text: str) -> None:
    assert normalize_invite_code(text) == "7K9QXT"


@pytest.mark.parametrize(
    "text",
    [
        f"{LINK} https://example.com/i/8K9QXT/",
        f"Code: 8K9QXT {LINK}",
        "Code: 7K9QXT or code: 8K9QXT",
        "send me the invite code please",
        "Code: please",
        "Which code: Please, tell me",
        "код: сорока",
        "Barcode: 7K9QXT",
        "штрихкод: 7K9QXT",
        "https://x.com/i/events/123",
    ],
)
def test_a_text_with_two_codes_or_none_is_refused(text: str) -> None:
    assert normalize_invite_code(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "/i/a" + "\u2057" * 1_995 + "a",  # each becomes four characters
        "/i/a" + "'" * 1_995 + "a",
        "/i/" * 666,
        "code" + " " * 1_990 + "a",
        "code " * 400,
        "_" * 1_999 + "<",
        "http" * 500,
        "?invite=" * 250,
    ],
)
def test_a_long_text_takes_no_longer_than_a_moment(text: str) -> None:
    started = time.process_time()
    assert normalize_invite_code(text) is None
    assert time.process_time() - started < 0.05


def test_codes_become_longer_and_old_ones_stay_valid(settings: LazySettings) -> None:
    settings.INVITE_CODE_LENGTH = 8
    assert len(draw_invite_code()) == 8
    assert normalize_invite_code("7k9q-xtab") == "7K9QXTAB"
    assert normalize_invite_code("https://example.com/i/7K9QXTA/") == "7K9QXTA"
    assert normalize_invite_code("Code: 7K9QXT") == "7K9QXT"
    assert normalize_invite_code("7K9QXTABC") is None


@pytest.mark.django_db
def test_the_longest_code_is_stored_and_used(settings: LazySettings) -> None:
    settings.INVITE_CODE_LENGTH = 10
    inviter = User.objects.create_user(ALICE)
    assert len(inviter.invite_code) == 10
    invitee = User.objects.create_user(BORIS)
    referral = activate_invite_code(
        invitee=invitee, code=inviter.invite_code, address="192.0.2.1"
    )
    assert referral.code_used == inviter.invite_code
