"""Login codes below HTTP: drawing, keeping, comparing, spending."""

from collections import Counter
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core.cache import cache
from django.test import override_settings

from conftest import ALICE, BORIS, Clock, wrong
from users import codes
from users.exceptions import CodeExpired, CodeIncorrect, ResendTooSoon


def test_codes_are_uniform_and_keep_leading_zeros() -> None:
    draws = 100_000
    seen = Counter(
        codes.LoginCode(ALICE, f"{n:032x}", 4, 0.0, None).digits for n in range(draws)
    )
    assert all(len(code) == 4 for code in seen)
    # Chi-squared with 9,999 degrees of freedom: beyond 10,700 once in about 10**6.
    expected = draws / 10_000
    chi_squared = sum((n - expected) ** 2 / expected for n in seen.values())
    chi_squared += (10_000 - len(seen)) * expected
    assert 9_300 < chi_squared < 10_700


def test_nonces_come_from_the_system_s_random_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("users.codes.secrets.token_hex", lambda size: "ab" * size)
    assert codes.issue(ALICE).nonce == "ab" * 16


def test_the_same_code_is_given_again_while_it_lives(clock: Clock) -> None:
    first = codes.issue(ALICE)
    clock.pass_seconds(200)
    again = codes.issue(ALICE)
    assert (again.digits, again.expires_at) == (first.digits, first.expires_at)


def test_a_new_code_comes_after_the_old_one_s_end(clock: Clock) -> None:
    first = codes.issue(ALICE)
    clock.pass_seconds(settings.LOGIN_CODE_TTL_SECONDS)
    assert codes.issue(ALICE).nonce != first.nonce


@pytest.mark.parametrize(("age", "is_good"), [(299, True), (300, False), (301, False)])
def test_a_code_ends_with_its_lifetime(clock: Clock, age: int, is_good: bool) -> None:
    code = codes.issue(ALICE)
    clock.pass_seconds(age)
    if is_good:
        assert codes.check(ALICE, code.digits) == code
    else:
        with pytest.raises(CodeExpired):
            codes.check(ALICE, code.digits)


def test_guesses_are_counted_down() -> None:
    code = codes.issue(ALICE)
    for attempts_left in (4, 3, 2, 1, 0):
        with pytest.raises(CodeIncorrect) as refusal:
            codes.check(ALICE, wrong(code.digits))
        assert refusal.value.attempts_left == attempts_left


def test_after_the_last_guess_the_right_code_is_refused() -> None:
    code = codes.issue(ALICE)
    for _ in range(settings.LOGIN_CODE_MAX_ATTEMPTS):
        with pytest.raises(CodeIncorrect):
            codes.check(ALICE, wrong(code.digits))
    with pytest.raises(CodeExpired):
        codes.check(ALICE, code.digits)


def test_nothing_is_compared_after_the_last_guess(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[Any] = []

    def compare(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return a == b

    monkeypatch.setattr("users.codes.hmac.compare_digest", compare)
    code = codes.issue(ALICE)
    for _ in range(50):
        with pytest.raises((CodeIncorrect, CodeExpired)):
            codes.check(ALICE, wrong(code.digits))
    assert len(compared) == settings.LOGIN_CODE_MAX_ATTEMPTS


def test_a_guessed_out_code_makes_way_for_a_new_one() -> None:
    first = codes.issue(ALICE)
    for _ in range(settings.LOGIN_CODE_MAX_ATTEMPTS):
        with pytest.raises(CodeIncorrect):
            codes.check(ALICE, wrong(first.digits))
    second = codes.issue(ALICE)
    assert second.nonce != first.nonce
    assert codes.check(ALICE, second.digits) == second


def test_asking_again_does_not_renew_the_guesses() -> None:
    code = codes.issue(ALICE)
    for _ in range(3):
        with pytest.raises(CodeIncorrect):
            codes.check(ALICE, wrong(code.digits))
    codes.issue(ALICE)
    with pytest.raises(CodeIncorrect) as refusal:
        codes.check(ALICE, wrong(code.digits))
    assert refusal.value.attempts_left == 1


def test_a_code_is_spent_once() -> None:
    code = codes.issue(ALICE)
    codes.spend(code)
    with pytest.raises(CodeExpired):
        codes.spend(code)
    with pytest.raises(CodeExpired):
        codes.check(ALICE, code.digits)


def test_another_number_s_code_does_not_fit() -> None:
    alice, boris = codes.issue(ALICE), codes.issue(BORIS)
    assert alice.nonce != boris.nonce
    same_nonce = codes.LoginCode(BORIS, alice.nonce, 8, 0.0, None).digits
    assert same_nonce != codes.LoginCode(ALICE, alice.nonce, 8, 0.0, None).digits


@pytest.mark.parametrize("length", [4, 6, 8])
def test_the_length_is_a_setting(settings: LazySettings, length: int) -> None:
    settings.LOGIN_CODE_LENGTH = length
    assert len(codes.issue(ALICE).digits) == length


def test_a_living_code_takes_over_a_later_invite_code() -> None:
    first = codes.issue(ALICE)
    codes.issue(ALICE, invite_code="7K9QXT")
    code = codes.check(ALICE, first.digits)
    assert code.invite_code == "7K9QXT"
    codes.issue(ALICE)
    assert codes.check(ALICE, first.digits).invite_code == "7K9QXT"


def test_one_send_at_a_time(clock: Clock) -> None:
    codes.reserve_send(ALICE)
    clock.pass_seconds(20)
    with pytest.raises(ResendTooSoon) as refusal:
        codes.reserve_send(ALICE)
    assert refusal.value.wait == 40
    assert codes.resend_in(ALICE) == 40
    codes.reserve_send(BORIS)
    clock.pass_seconds(40)
    codes.reserve_send(ALICE)


def test_a_dump_of_the_cache_shows_no_code_and_no_number() -> None:
    with override_settings(LOGIN_CODE_LENGTH=8):
        code = codes.issue(ALICE)
        codes.reserve_send(ALICE)
    dump = _dump()
    assert code.nonce in dump
    assert code.digits not in dump
    assert ALICE.strip("+") not in dump


def test_a_dump_without_the_secret_does_not_tell_the_code() -> None:
    code = codes.issue(ALICE)
    with override_settings(SECRET_KEY="somebody else's"):
        guess = codes.LoginCode(ALICE, code.nonce, 8, 0.0, None).digits
    assert guess != codes.LoginCode(ALICE, code.nonce, 8, 0.0, None).digits


def _dump() -> str:
    if settings.REDIS_URL:
        redis: Any = cache
        client = redis.client.get_client()
        return str([(key, client.get(key)) for key in client.keys("*")])
    memory: Any = cache
    return str(list(memory._cache.items()))
