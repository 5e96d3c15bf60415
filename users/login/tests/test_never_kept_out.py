"""Whatever strangers do, the owner of a number gets in, from a device that is new."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core.cache import cache

from config.env import Limit
from config.refusals import LimitReached, Refusal
from conftest import ALICE, Clock
from limits.budgets import used
from tests.lab.shared import wrong
from users.channels import memory
from users.login import codes, requesting, signing_in
from users.login.clients import Client
from users.login.exceptions import (
    CodeExpired,
    CodeIncorrect,
    GuessesUsedUp,
    ResendTooSoon,
)
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def lasting(settings: LazySettings, clock: Clock) -> str:
    """The digits of the last code that Alice's number can get for now."""
    for n in range(6):
        ask(f"198.51.{n}.1")
        clock.pass_seconds(300)
    return codes.get(ALICE).digits


def ask(address: str) -> requesting.CodeSent:
    return requesting.request_code(phone_number=ALICE, client=Client(address))


def sign_in(digits: str, address: str = "192.0.2.1") -> None:
    signing_in.sign_in(phone_number=ALICE, digits=digits, client=Client(address))


def attack(addresses: list[str], seen: Counter[int]) -> None:
    """Every address asks for a code and guesses at it as often as it may."""
    for address in addresses:
        with suppress(LimitReached):
            ask(address)
        for _ in range(settings.LOGIN_CODE_MAX_ATTEMPTS + 1):
            code = codes.find(ALICE)
            if code is None:
                break
            try:
                sign_in(wrong(code.digits), address)
            except CodeIncorrect:
                seen[code.length] += 1
            except Refusal:
                break


def seconds_to_get_in(clock: Clock, address: str) -> int:
    """The owner asks, reads the phone, and signs in; again whenever that fails."""
    waited = 0
    while waited <= 10 * settings.LOGIN_CODE_TTL_SECONDS:
        try:
            ask(address)
        except ResendTooSoon as refusal:
            wait = refusal.retry_after
        else:
            wait = 1
        with suppress(Refusal):
            sign_in(memory.outbox[-1].text.split()[0].strip(":"), address)
            return waited
        clock.pass_seconds(wait)
        waited += wait
    raise AssertionError("the owner is kept out")


@contextmanager
def undone() -> Iterator[None]:
    """Whatever the block does to the cache is undone: it only looks."""
    store: Any = cache
    if settings.REDIS_URL:
        redis = store.client.get_client()
        ours = store.make_key("*")  # other test processes have other keys
        keys = redis.scan_iter(ours)
        before = {key: (redis.dump(key), redis.pttl(key)) for key in keys}
        yield
        cache.delete_pattern("*")  # type: ignore[attr-defined]
        for key, (value, lifetime) in before.items():
            redis.restore(key, max(lifetime, 0), value)
    else:
        values, expiry = dict(store._cache), dict(store._expire_info)
        yield
        for stored, kept in ((store._cache, values), (store._expire_info, expiry)):
            stored.clear()
            stored.update(kept)


# With 100 networks: tests/attacks/test_never_kept_out.py.
@pytest.mark.slow
@pytest.mark.parametrize("networks", [1, pytest.param(10, marks=pytest.mark.slow)])
def test_a_new_device_gets_in_at_every_hour_of_an_attack(
    clock: Clock, networks: int
) -> None:
    addresses = [f"198.{n // 200}.{n % 200}.1" for n in range(networks)]
    waits, seen = [], Counter[int]()
    for hour in range(48):
        for _ in range(11):
            attack(addresses, seen)
            clock.pass_seconds(300)
        outbox = list(memory.outbox)
        assert len(outbox) <= 20 * (hour // 24 + 1)
        with undone():
            waits.append(seconds_to_get_in(clock, f"192.{hour}.2.1"))
        memory.outbox[:] = outbox
        clock.pass_seconds(300)
    assert seen[4] <= 6
    assert seen[6] <= 24
    assert seen.total() >= 4
    assert max(waits) <= settings.LOGIN_CODE_TTL_SECONDS


def test_the_last_code_lives_until_another_can_be_sent(
    lasting: str, clock: Clock
) -> None:
    assert len(lasting) == 8
    assert f"{lasting} is your sign-in code for the next " in memory.outbox[-1].text
    sent = ask("203.0.113.1")
    assert sent.was_sent_before
    assert sent.expires_in == sent.resend_in > 1500
    assert len(memory.outbox) == 6
    clock.pass_seconds(sent.expires_in)
    assert not ask("203.0.113.1").was_sent_before


def test_the_last_code_signs_the_owner_in(lasting: str) -> None:
    sign_in(lasting)


def test_another_last_code_is_sent_once_one_was_used(lasting: str) -> None:
    for _ in range(2):
        sign_in(codes.get(ALICE).digits)
        sent = ask("192.0.2.1")
        assert not sent.was_sent_before
        assert sent.code_length == 8
    assert len(memory.outbox) == 8
    sign_in(codes.get(ALICE).digits)
    with pytest.raises(LimitReached) as refusal:
        ask("192.0.2.1")
    assert refusal.value.limit == "sends_per_phone_hour"


def test_strangers_cannot_end_the_last_code(lasting: str) -> None:
    for n in range(60):
        with suppress(Refusal):
            sign_in(wrong(lasting), f"203.0.{n}.1")
    sign_in(lasting)


def test_a_wait_that_should_have_ended_does_not_lock_the_number(lasting: str) -> None:
    codes.get(ALICE).spend()  # and the process stopped before it ended the wait
    with pytest.raises(ResendTooSoon):
        ask("192.0.2.1")
    assert not ask("192.0.2.1").was_sent_before


def test_other_codes_do_not_make_those_who_sign_in_wait(clock: Clock) -> None:
    """Anybody with an account may ask to move it to this number."""
    for n in range(3):
        requesting.send_code(ALICE, Client("198.51.100.1"), scope="change")
        assert seconds_to_get_in(clock, f"192.0.{n}.1") == 0
        clock.pass_seconds(300)


def test_a_code_that_has_become_too_short_does_not_make_the_owner_wait(
    clock: Clock,
) -> None:
    for n in range(3):  # the wait is 300 seconds now
        ask(f"198.51.{n}.1")
        clock.pass_seconds(300 if n < 2 else 1)
    for network in range(40):  # six digits, then eight
        with suppress(Refusal):
            sign_in(wrong(codes.get(ALICE).digits), f"203.0.{network}.1")
        if network == 10:
            ask("198.51.100.9")
    assert seconds_to_get_in(clock, "192.0.2.1") <= settings.LOGIN_CODE_TTL_SECONDS
    assert codes.find(ALICE) is not None


def test_messages_that_are_not_for_signing_in_leave_the_last_ones(
    settings: LazySettings, clock: Clock
) -> None:
    def send(n: int) -> None:
        client = Client(f"198.51.{n}.1")
        requesting.send_code(ALICE, client, scope="change")

    for n in range(5):
        send(n)
        clock.pass_seconds(300)
    with pytest.raises(LimitReached) as refusal:
        send(5)
    assert refusal.value.limit == "sends_per_phone_hour"
    assert not ask("192.0.2.1").was_sent_before


def test_a_code_that_a_stranger_s_request_replaced_is_no_wrong_guess(
    clock: Clock,
) -> None:
    """The last message of an hour carries a longer code: the owner types the first."""
    first = codes.issue(ALICE, length=4)
    clock.pass_seconds(60)
    last = codes.issue(ALICE, length=8, last_for=3600)
    for _ in range(settings.LOGIN_CODE_MAX_ATTEMPTS + 1):
        with pytest.raises(CodeExpired, match="Enter the newer one"):
            sign_in(first.digits)
    assert used("guesses_per_phone_month", ALICE.pseudonym) == 0
    assert not User.objects.exists()
    sign_in(last.digits)
    assert User.objects.exists()


def test_a_code_that_was_replaced_is_a_wrong_guess_once_it_has_expired(
    clock: Clock,
) -> None:
    first = codes.issue(ALICE, length=4)
    codes.issue(ALICE, length=8, last_for=3600)
    clock.pass_seconds(settings.LOGIN_CODE_TTL_SECONDS)
    with pytest.raises(CodeIncorrect):
        sign_in(first.digits)


def test_without_guesses_the_code_that_was_replaced_gets_the_answer_of_any_other(
    clock: Clock,
) -> None:
    """Otherwise nothing would limit guesses at it."""
    first = codes.issue(ALICE, length=4)
    last = codes.issue(ALICE, length=8, last_for=3600)
    for _ in range(settings.LOGIN_CODE_MAX_ATTEMPTS):
        with pytest.raises(CodeIncorrect):
            sign_in(wrong(last.digits))
    for digits in (first.digits, wrong(last.digits), last.digits):
        with pytest.raises(GuessesUsedUp):
            sign_in(digits)


def test_one_customer_of_an_internet_provider_keeps_no_neighbour_out(
    settings: LazySettings,
) -> None:
    """One network makes all guesses that it may; they use up the number's limit."""
    limits = {name: limit for name, limit in settings.LIMITS.items() if limit}
    of_network = limits["guesses_per_phone_and_network"].count
    settings.LIMITS = {**limits, "guesses_per_phone_month": Limit(of_network, 86_400)}
    code = codes.issue(ALICE, length=8)
    for n in range(of_network):
        with pytest.raises(CodeIncorrect):
            sign_in(wrong(code.digits), f"2001:db8:1:{n // 4}::/64")
    with pytest.raises(LimitReached):
        sign_in(code.digits, "2001:db8:1:ffff::/64")
    sign_in(code.digits, "2001:db8:2::/64")
    assert User.objects.exists()
    of_network_day = limits["guesses_per_network_day"].count
    assert limits["guesses_per_isp_day"].count >= 5 * of_network_day


def test_a_code_for_another_scope_was_not_replaced(clock: Clock) -> None:
    other = codes.issue(ALICE, length=4, scope="change")
    codes.issue(ALICE, length=4)
    codes.issue(ALICE, length=8, last_for=3600)
    with pytest.raises(CodeIncorrect):
        sign_in(other.digits)
