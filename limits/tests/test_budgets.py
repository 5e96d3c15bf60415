import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import LazySettings

from config.refusals import LimitReached
from conftest import Clock
from limits.budgets import Claim, reserve, used
from limits.limit import Limit


@pytest.fixture(autouse=True)
def limits(settings: LazySettings) -> None:
    settings.LIMITS = {
        "three": Limit(3, 60),
        "five": Limit(5, 3600),
        "month": Limit(1, 30 * 86_400),
        "off": None,
    }


def granted(claim: Claim, times: int) -> int:
    return sum(_is_granted(claim) for _ in range(times))


def _is_granted(claim: Claim) -> bool:
    try:
        reserve(claim)
    except LimitReached:
        return False
    return True


def test_as_many_as_the_limit_says_are_granted() -> None:
    assert granted(Claim("three", "Alice"), 10) == 3
    assert granted(Claim("three", "Boris"), 10) == 3
    assert granted(Claim("five", "Alice"), 10) == 5


def test_the_refusal_names_the_limit_and_the_time_to_wait(clock: Clock) -> None:
    claim = Claim("three", "Alice")
    granted(claim, 3)
    with pytest.raises(LimitReached) as refusal:
        reserve(claim)
    assert refusal.value.limit == "three"
    assert 0 < refusal.value.retry_after <= 60
    clock.pass_seconds(refusal.value.retry_after)
    assert granted(claim, 10) == 3


@pytest.mark.parametrize("days", [1, 15, 29])
def test_a_month_is_kept_in_mind(clock: Clock, days: int) -> None:
    claim = Claim("month", "Alice")
    reserve(claim)
    with pytest.raises(LimitReached) as refusal:
        reserve(claim)
    left = refusal.value.retry_after - days * 86_400
    clock.pass_seconds(days * 86_400)
    assert _is_granted(claim) is (left <= 0)


def test_what_is_given_back_can_be_used_again() -> None:
    claim = Claim("three", "Alice")
    for _ in range(10):
        reserve(claim).give_back()
    assert used(claim) == 0
    assert granted(claim, 10) == 3


def test_a_refusal_costs_nothing_anywhere() -> None:
    three, five = Claim("three", "Alice"), Claim("five", "Alice")
    granted(three, 3)
    for _ in range(10):
        with pytest.raises(LimitReached):
            reserve(five, three)
    assert used(five) == 0
    assert used(three) == 3


def test_a_limit_can_be_off() -> None:
    assert granted(Claim("off", "Alice"), 100) == 100
    assert used(Claim("off", "Alice")) == 0


def test_the_same_item_counts_once() -> None:
    for item in ("a", "b", "a", "b", "c"):
        assert _is_granted(Claim("three", "Alice", item))
    assert not _is_granted(Claim("three", "Alice", "d"))
    assert _is_granted(Claim("three", "Alice", "a"))


def test_an_item_given_back_counts_anew() -> None:
    for item in ("a", "b", "c", "d"):
        reserve(Claim("three", "Alice", item)).give_back()
    assert used(Claim("three", "Alice")) == 0


@pytest.mark.usefixtures("pauses_in_the_cache")
def test_of_many_at_once_exactly_the_limit_is_granted() -> None:
    claim = Claim("five", "Alice")
    with ThreadPoolExecutor(50) as threads:
        results = list(threads.map(lambda i: _is_granted(claim), range(500)))
    assert sum(results) == 5
    assert used(claim) == 5


def test_giving_back_meanwhile_never_lets_too_many_hold() -> None:
    claim = Claim("three", "Alice")
    holding = [0]
    most = [0]

    def hold(i: int) -> None:
        try:
            reservation = reserve(claim)
        except LimitReached:
            return
        holding[0] += 1
        most[0] = max(most[0], holding[0])
        time.sleep(0.001)
        holding[0] -= 1
        reservation.give_back()

    run: Callable[[int], None] = hold
    with ThreadPoolExecutor(20) as threads:
        list(threads.map(run, range(200)))
    assert 1 <= most[0] <= 3
    assert used(claim) == 0
