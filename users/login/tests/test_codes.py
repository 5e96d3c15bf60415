"""Login codes below HTTP: drawing, keeping, comparing, spending."""

import time
from collections import Counter
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core.cache import cache
from django.test import override_settings

from conftest import ALICE, BORIS, Clock, wrong
from limits.counters import UsedUp, take
from limits.limit import Limit
from users.login import codes
from users.login import guess_limits as guesses
from users.login.clients import Client, issue_device_token
from users.login.exceptions import CodeExpired, CodeIncorrect, GuessesUsedUp

CLIENT = Client("192.0.2.1")


def issue(phone_number: str, **kwargs: Any) -> codes.LoginCode:
    length = guesses.code_length(phone_number)
    return codes.issue(phone_number, length=length, **kwargs)


def check(phone_number: str, digits: str, client: Client = CLIENT) -> codes.LoginCode:
    code = codes.living(phone_number)
    guesses.compare(code, digits, client)
    return code


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
    monkeypatch.setattr("users.login.codes.secrets.token_hex", lambda size: "ab" * size)
    assert issue(ALICE).nonce == "ab" * 16


def test_the_same_code_is_given_again_while_it_lives(clock: Clock) -> None:
    first = issue(ALICE)
    clock.pass_seconds(200)
    again = issue(ALICE)
    assert (again.digits, again.expires_at) == (first.digits, first.expires_at)


def test_a_new_code_comes_after_the_old_one_s_end(clock: Clock) -> None:
    first = issue(ALICE)
    clock.pass_seconds(settings.LOGIN_CODE_TTL_SECONDS)
    assert issue(ALICE).nonce != first.nonce


@pytest.mark.parametrize(("age", "is_good"), [(299, True), (300, False), (301, False)])
def test_a_code_ends_with_its_lifetime(clock: Clock, age: int, is_good: bool) -> None:
    code = issue(ALICE)
    clock.pass_seconds(age)
    if is_good:
        assert check(ALICE, code.digits) == code
    else:
        with pytest.raises(CodeExpired):
            check(ALICE, code.digits)


def test_guesses_are_counted_down() -> None:
    code = issue(ALICE)
    for attempts_left in (4, 3, 2, 1, 0):
        with pytest.raises(CodeIncorrect) as refusal:
            check(ALICE, wrong(code.digits))
        assert refusal.value.attempts_left == attempts_left


def test_after_the_last_guess_the_right_code_is_refused(clock: Clock) -> None:
    code = issue(ALICE)
    guess_wrong(code, settings.LOGIN_CODE_MAX_ATTEMPTS)
    clock.pass_seconds(100)
    with pytest.raises(GuessesUsedUp) as refusal:
        check(ALICE, code.digits)
    assert refusal.value.wait == 200


def guess_wrong(code: codes.LoginCode, times: int, client: Client = CLIENT) -> None:
    for _ in range(times):
        with pytest.raises(CodeIncorrect):
            guesses.compare(code, wrong(code.digits), client)


def test_nothing_is_compared_after_the_last_guess(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[Any] = []

    def compare(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return a == b

    monkeypatch.setattr("users.login.codes.hmac.compare_digest", compare)
    code = issue(ALICE)
    for _ in range(50):
        with pytest.raises((CodeIncorrect, GuessesUsedUp)):
            check(ALICE, wrong(code.digits))
    assert len(compared) == settings.LOGIN_CODE_MAX_ATTEMPTS


def test_a_stranger_s_guesses_do_not_burn_the_owner_s_code() -> None:
    code = issue(ALICE)
    guess_wrong(code, 5, Client("198.51.100.7"))
    assert check(ALICE, code.digits) == code


def test_a_code_stands_ten_guesses_from_everybody_together() -> None:
    code = issue(ALICE)
    guess_wrong(code, 5, Client("198.51.100.7"))
    guess_wrong(code, 5, Client("198.51.100.8"))
    with pytest.raises(CodeExpired):
        check(ALICE, code.digits)
    assert issue(ALICE).nonce != code.nonce


def test_codes_grow_with_the_wrong_guesses_of_a_month(clock: Clock) -> None:
    lengths = []
    for n in range(12):
        code = issue(ALICE)
        lengths.append(code.length)
        guess_wrong(code, 5, Client(f"198.51.100.{n}"))
        clock.pass_seconds(settings.LOGIN_CODE_TTL_SECONDS)
    assert lengths == [4, 4, 6, 6, 6, 6, 8, 8, 8, 8, 8, 8]
    assert issue(BORIS).length == 4


def test_an_outgrown_code_is_not_compared_by_strangers(settings: LazySettings) -> None:
    settings.LOGIN_CODE_GROWTH = [(3, 6)]
    code = issue(ALICE)
    guess_wrong(code, 3, Client("198.51.100.7"))
    with pytest.raises(CodeExpired):
        check(ALICE, code.digits)
    assert issue(ALICE).length == 6


def test_signing_in_does_not_forgive_wrong_guesses(clock: Clock) -> None:
    for n in range(3):
        code = issue(ALICE)
        if n < 2:
            guess_wrong(code, 4)
            assert check(ALICE, code.digits) == code
            codes.spend(code)
            clock.pass_seconds(1)
    guess_wrong(code, 2)
    assert issue(ALICE).length == 6


def test_a_known_device_has_guesses_of_its_own() -> None:
    code = issue(ALICE)
    guess_wrong(code, 5, Client("192.0.2.1"))
    guess_wrong(code, 4, Client("192.0.2.2"))
    device = Client("192.0.2.1", issue_device_token(ALICE))
    guess_wrong(code, 1, device)
    with pytest.raises(CodeExpired):  # the code has stood its ten
        check(ALICE, code.digits, device)
    code = issue(ALICE)
    assert check(ALICE, code.digits, device) == code


def test_a_known_device_that_guesses_too_often_is_a_stranger(
    settings: LazySettings,
) -> None:
    settings.LIMITS = {**settings.LIMITS, "guesses_per_device": Limit(1, 3600)}
    settings.LOGIN_CODE_GROWTH = [(2, 6)]
    device = Client("192.0.2.1", issue_device_token(ALICE))
    code = issue(ALICE)
    guess_wrong(code, 3, device)  # one of its own, two as anybody
    assert issue(ALICE).length == 6


@pytest.mark.parametrize(
    "token", ["", "forged", issue_device_token(BORIS), issue_device_token(ALICE)[:-1]]
)
def test_a_device_token_is_for_its_own_number(token: str) -> None:
    assert not Client("192.0.2.1", token).knows(ALICE)


def test_asking_again_does_not_renew_the_guesses() -> None:
    code = issue(ALICE)
    for _ in range(3):
        with pytest.raises(CodeIncorrect):
            check(ALICE, wrong(code.digits))
    issue(ALICE)
    with pytest.raises(CodeIncorrect) as refusal:
        check(ALICE, wrong(code.digits))
    assert refusal.value.attempts_left == 1


def test_a_code_is_spent_once() -> None:
    code = issue(ALICE)
    codes.spend(code)
    with pytest.raises(CodeExpired):
        codes.spend(code)
    with pytest.raises(CodeExpired):
        check(ALICE, code.digits)


def test_another_number_s_code_does_not_fit() -> None:
    alice, boris = issue(ALICE), issue(BORIS)
    assert alice.nonce != boris.nonce
    same_nonce = codes.LoginCode(BORIS, alice.nonce, 8, 0.0, None).digits
    assert same_nonce != codes.LoginCode(ALICE, alice.nonce, 8, 0.0, None).digits


@pytest.mark.parametrize("length", [4, 6, 8])
def test_the_length_is_a_setting(settings: LazySettings, length: int) -> None:
    settings.LOGIN_CODE_LENGTH = length
    assert len(issue(ALICE).digits) == length


def test_a_living_code_keeps_the_invite_code_it_came_with() -> None:
    first = issue(ALICE, invite_code="7K9QXT")
    for later in ("AAAAAA", None):
        issue(ALICE, invite_code=later)
        assert check(ALICE, first.digits).invite_code == "7K9QXT"


def claim_send() -> None:
    take([codes.send_counter(ALICE, by_known_device=False)])


def test_what_is_left_is_rounded_up(clock: Clock) -> None:
    claim_send()
    clock.pass_seconds(20.6)
    assert codes.resend_in(ALICE, by_known_device=False) == 40


def test_one_send_at_a_time_and_longer_waits(clock: Clock) -> None:
    for number, wait in enumerate((60, 120, 300, 300), start=1):
        claim_send()
        assert codes.wait_after(number) == wait
        until = time.time() + wait
        codes.set_wait(ALICE, by_known_device=False, until=until)
        clock.pass_seconds(20)
        with pytest.raises(UsedUp):
            claim_send()
        assert codes.resend_in(ALICE, by_known_device=False) == wait - 20
        clock.pass_seconds(wait - 20)


def test_a_dump_of_the_cache_shows_no_code_and_no_number() -> None:
    with override_settings(LOGIN_CODE_LENGTH=8):
        code = issue(ALICE)
        claim_send()
    dump = _dump()
    assert code.nonce in dump
    assert code.digits not in dump
    assert ALICE.strip("+") not in dump


def test_a_dump_without_the_secret_does_not_tell_the_code() -> None:
    code = issue(ALICE)
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
