"""Login codes without HTTP: making, storing, comparing and spending them."""

from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core.cache import cache
from django.test import override_settings

from conftest import ALICE, BORIS, Clock
from limits.budgets import used
from tests.lab.shared import wrong
from users.login import codes
from users.login.clients import Client
from users.login.code_length import PER_MONTH, length_of_next_code
from users.login.exceptions import (
    CodeExpired,
    CodeIncorrect,
    GuessesUsedUp,
    ResendTooSoon,
)
from users.login.guess_limits import make_guess
from users.login.resend_wait import Asker, seconds_until_resend
from users.login.send_reservation import reserve_send
from users.phones import PhoneNumber

CLIENT = Client("192.0.2.1")


def issue(phone_number: PhoneNumber, **kwargs: Any) -> codes.LoginCode:
    wrong = used(PER_MONTH, phone_number.pseudonym)
    length = length_of_next_code({PER_MONTH: wrong})
    return codes.issue(phone_number, length=length, **kwargs)


def known_device(name: str = "phone") -> Client:
    """A device that has signed in on Alice's number."""

    class KnownDevice(Client):
        def known_device(self, phone_number: PhoneNumber) -> str:
            return name

    return KnownDevice(CLIENT.address)


def check(
    phone_number: PhoneNumber, digits: str, client: Client = CLIENT
) -> codes.LoginCode:
    code = codes.get(phone_number)
    guess(code, digits, client)
    return code


def guess(code: codes.LoginCode, digits: str, client: Client) -> None:
    device = client.known_device(ALICE)
    make_guess(code, digits, phone_number=ALICE, client=client, known_device=device)


def test_codes_are_uniform_and_keep_leading_zeros() -> None:
    draws = 40_000
    seen = Counter(
        codes.random_digits(ALICE.pseudonym, f"{n:032x}", 4, codes.SIGN_IN)
        for n in range(draws)
    )
    assert all(len(code) == 4 for code in seen)
    # Chi-squared with 9,999 degrees of freedom: beyond 10,700 once in about 10**6.
    expected = draws / 10_000
    chi_squared = sum((n - expected) ** 2 / expected for n in seen.values())
    chi_squared += (10_000 - len(seen)) * expected
    assert 9_300 < chi_squared < 10_700


def test_nonces_come_from_the_secrets_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("users.login.codes.secrets.token_hex", lambda size: "ab" * size)
    assert issue(ALICE).nonce == "ab" * 16


def test_the_same_code_is_given_again_while_it_can_be_typed(clock: Clock) -> None:
    first = issue(ALICE)
    clock.pass_seconds(210)
    again = issue(ALICE)
    assert (again.digits, again.expires_at) == (first.digits, first.expires_at)
    clock.pass_seconds(1)
    fresh = issue(ALICE)
    assert fresh.nonce != first.nonce
    assert fresh.seconds_left == settings.LOGIN_CODE_TTL_SECONDS


def test_a_fresh_code_does_not_renew_the_guesses(clock: Clock) -> None:
    code = issue(ALICE)
    clock.pass_seconds(200)
    guess_wrong(code, 4)
    clock.pass_seconds(20)
    fresh = issue(ALICE)
    assert fresh.nonce != code.nonce
    guess_wrong(fresh, 1)
    with pytest.raises(GuessesUsedUp):
        check(ALICE, fresh.digits)


def test_a_fresh_code_does_not_renew_the_guesses_of_everybody(clock: Clock) -> None:
    code = issue(ALICE)
    guess_wrong(code, 3)
    clock.pass_seconds(220)
    assert issue(ALICE).count_guesses_left() == codes.guess_allowance(4) - 3


def test_an_expired_code_is_replaced(clock: Clock) -> None:
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
            guess(code, wrong(code.digits), client)


def test_after_the_last_guess_right_and_wrong_digits_get_the_same_answer() -> None:
    code = issue(ALICE)
    guess_wrong(code, settings.LOGIN_CODE_MAX_ATTEMPTS)
    answers = []
    for digits in (code.digits, wrong(code.digits)):
        with pytest.raises(GuessesUsedUp) as refusal:
            check(ALICE, digits)
        answers.append((str(refusal.value), refusal.value.wait))
    assert answers[0] == answers[1]


def test_guesses_of_strangers_leave_the_owner_a_guess() -> None:
    code = issue(ALICE)
    guess_wrong(code, 5, Client("198.51.100.7"))
    assert check(ALICE, code.digits) == code


def test_a_code_of_four_digits_stands_ten_guesses_from_everybody(
    settings: LazySettings,
) -> None:
    settings.LOGIN_CODE_GROWTH = settings.LOGIN_CODE_GROWTH_OVERALL = []
    code = issue(ALICE)
    guess_wrong(code, 5, Client("198.51.100.7"))
    guess_wrong(code, 5, Client("203.0.113.8"))
    with pytest.raises(CodeExpired):
        check(ALICE, code.digits)
    assert issue(ALICE).nonce != code.nonce


def test_codes_of_the_longest_length_are_always_compared(
    settings: LazySettings,
) -> None:
    settings.LIMITS = dict.fromkeys(settings.LIMITS)
    settings.LOGIN_CODE_LENGTH = 8
    settings.LOGIN_CODE_MAX_ATTEMPTS = 200_000
    code = issue(ALICE)
    guess_wrong(code, 1_001)
    assert check(ALICE, code.digits) == code


def test_codes_grow_with_the_wrong_guesses_of_a_month(
    clock: Clock, settings: LazySettings
) -> None:
    settings.LOGIN_CODE_GROWTH_OVERALL = []
    lengths = []
    for n in range(8):
        code = issue(ALICE)
        lengths.append(code.length)
        for address in (f"198.51.{n}.1", f"203.0.{n}.1"):
            for _ in range(3):
                with suppress(CodeExpired):
                    guess_wrong(code, 1, Client(address))
        clock.pass_seconds(settings.LOGIN_CODE_TTL_SECONDS)
    # After 6 wrong guesses six digits, after 30 eight.
    assert lengths == [4, 6, 6, 6, 6, 8, 8, 8]
    assert issue(BORIS).length == 4


@pytest.mark.parametrize("growth", ["GROWTH", "GROWTH_PER_CLIENT", "GROWTH_OVERALL"])
def test_an_outgrown_code_is_not_compared_by_strangers(
    settings: LazySettings, growth: str
) -> None:
    setattr(settings, f"LOGIN_CODE_{growth}", [(3, 6)])
    code = issue(ALICE)
    guess_wrong(code, 3, Client("198.51.100.7"))
    with pytest.raises(CodeExpired):
        check(ALICE, code.digits, Client("198.51.100.8"))


def test_signing_in_does_not_forgive_the_wrong_guesses_at_the_number(
    settings: LazySettings,
) -> None:
    settings.LOGIN_CODE_GROWTH = [(4, 6)]
    for number in (1, 2):
        code = issue(ALICE)
        guess_wrong(code, number)
        make_guess(code, code.digits, phone_number=ALICE, client=CLIENT).forgive()
        code.spend()
    guess_wrong(issue(ALICE), 1)
    assert issue(ALICE).length == 6


def test_signing_in_forgives_the_typos_at_the_code_once() -> None:
    stranger = Client("192.0.2.9")  # the same network
    guess_wrong(issue(BORIS), 1, stranger)
    code = issue(ALICE)
    guess_wrong(code, 3)
    assert used("guesses", "all") == 4
    make_guess(code, code.digits, phone_number=ALICE, client=CLIENT).forgive()
    assert used("guesses_per_address_day", CLIENT.address) == 0
    assert used("guesses_per_network_day", "192.0.2.0/24") == 1
    assert used("guesses", "all") == 1


def test_a_known_device_has_guesses_of_its_own() -> None:
    code = issue(ALICE)
    for address in ("198.51.100.1", "203.0.113.2"):
        with suppress(CodeExpired):
            guess_wrong(code, 5, Client(address))
    with pytest.raises(CodeExpired):  # too short by now
        check(ALICE, code.digits)
    assert check(ALICE, code.digits, known_device()) == code
    guess_wrong(code, 1, known_device())


def test_a_known_device_that_guesses_too_often_is_a_stranger(
    settings: LazySettings,
) -> None:
    settings.LOGIN_CODE_GROWTH = [(2, 6)]
    code = issue(ALICE)
    guess_wrong(code, 3, known_device())  # one of its own, two as anybody
    assert issue(ALICE).length == 6


def test_known_devices_share_a_limit_of_the_number(settings: LazySettings) -> None:
    settings.LOGIN_CODE_GROWTH = [(1, 6)]
    code = issue(ALICE)
    for device in ("phone", "tablet"):
        guess_wrong(code, 1, known_device(device))
    guess_wrong(code, 1, known_device("laptop"))  # as a stranger
    assert used(PER_MONTH, ALICE.pseudonym) == 1
    with pytest.raises(CodeExpired):
        check(ALICE, code.digits, known_device("laptop"))


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
    code.spend()
    with pytest.raises(CodeExpired):
        code.spend()
    with pytest.raises(CodeExpired):
        check(ALICE, code.digits)


def test_two_numbers_have_different_codes() -> None:
    alice, boris = issue(ALICE), issue(BORIS)
    assert alice.nonce != boris.nonce
    assert digits_of(ALICE, alice.nonce) != digits_of(BORIS, alice.nonce)


def digits_of(phone_number: PhoneNumber, nonce: str) -> str:
    return codes.random_digits(phone_number.pseudonym, nonce, 8, codes.SIGN_IN)


@pytest.mark.parametrize("length", [4, 6, 8])
def test_the_length_is_a_setting(settings: LazySettings, length: int) -> None:
    settings.LOGIN_CODE_LENGTH = length
    assert len(issue(ALICE).digits) == length


def send() -> None:
    with reserve_send(ALICE, CLIENT):
        pass


def test_the_wait_is_rounded_up(clock: Clock) -> None:
    send()
    clock.pass_seconds(20.6)
    assert seconds_until_resend(ALICE, Asker.STRANGER) == 40


def test_each_send_makes_the_next_wait_longer(clock: Clock) -> None:
    for wait in (60, 120, 300, 300):
        send()
        clock.pass_seconds(20)
        with pytest.raises(ResendTooSoon) as refusal:
            send()
        assert refusal.value.wait == wait - 20
        clock.pass_seconds(wait - 20)


def test_another_send_waits_while_the_sms_is_on_its_way(
    clock: Clock, settings: LazySettings
) -> None:
    settings.LOGIN_CODE_RESEND_SECONDS = [1]
    with reserve_send(ALICE, CLIENT):
        clock.pass_seconds(settings.SMS_TIMEOUT_SECONDS)
        with pytest.raises(ResendTooSoon):
            send()
    assert seconds_until_resend(ALICE, Asker.STRANGER) == 0


def test_a_dump_of_the_cache_shows_no_code_and_no_number() -> None:
    with override_settings(LOGIN_CODE_LENGTH=8):
        code = issue(ALICE)
        send()
    dump = _dump()
    assert code.nonce in dump
    assert code.digits not in dump
    assert ALICE.strip("+") not in dump


def test_a_dump_without_the_secret_does_not_tell_the_code() -> None:
    code = issue(ALICE)
    with override_settings(SECRET_KEY="somebody else's"):
        derived = digits_of(ALICE, code.nonce)
    assert derived != digits_of(ALICE, code.nonce)


def read(client: Any, key: bytes) -> Any:
    kind = client.type(key)
    if kind == b"hash":
        return client.hgetall(key)
    return client.lrange(key, 0, -1) if kind == b"list" else client.get(key)


def _dump() -> str:
    if settings.REDIS_URL:
        redis: Any = cache
        client = redis.client.get_client()
        return str([(key, read(client, key)) for key in client.scan_iter("*")])
    memory: Any = cache
    return str(list(memory._cache.items()))
