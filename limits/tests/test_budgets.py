import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import LazySettings

from config.env import Limit
from config.refusals import LimitReached
from conftest import Clock
from limits.budgets import (
    LimitUse,
    attempt,
    only_if_also_reached,
    reserve,
    seconds_until_fewer,
    usage_by_limit,
    used,
)


@pytest.fixture(autouse=True)
def limits(settings: LazySettings) -> None:
    settings.LIMITS = {
        "three": Limit(3, 60),
        "five": Limit(5, 3600),
        "month": Limit(1, 30 * 86_400),
        "off": None,
    }


def granted(name: str, subject: str, times: int) -> int:
    return sum(is_granted(name, subject) for _ in range(times))


def is_granted(name: str, subject: str, item: str | None = None) -> bool:
    try:
        reserve(attempt(name, subject, item))
    except LimitReached:
        return False
    return True


def test_attempts_are_granted_up_to_the_limit() -> None:
    assert granted("three", "Alice", 10) == 3
    assert granted("three", "Boris", 10) == 3
    assert granted("five", "Alice", 10) == 5


def test_the_refusal_names_the_limit_and_the_time_to_wait(clock: Clock) -> None:
    granted("three", "Alice", 3)
    with pytest.raises(LimitReached) as refusal:
        reserve(attempt("three", "Alice"))
    assert refusal.value.limit == "three"
    assert 60 <= refusal.value.retry_after <= 65
    clock.pass_seconds(refusal.value.retry_after)
    assert granted("three", "Alice", 10) == 3


@pytest.mark.parametrize(("days", "is_free"), [(1, False), (29, False), (33, True)])
def test_a_month_is_remembered(clock: Clock, days: int, is_free: bool) -> None:
    reserve(attempt("month", "Alice"))
    clock.pass_seconds(days * 86_400)
    assert is_granted("month", "Alice") is is_free


def test_the_time_until_there_are_fewer_attempts(clock: Clock) -> None:
    assert seconds_until_fewer("three", "Alice", 1) == 0
    reserve(attempt("three", "Alice"))
    clock.pass_seconds(30)
    reserve(attempt("three", "Alice"))
    assert 30 <= seconds_until_fewer("three", "Alice", 2) <= 35
    assert 60 <= seconds_until_fewer("three", "Alice", 1) <= 65


def test_what_is_used_of_several_limits(clock: Clock) -> None:
    reserve(attempt("three", "Alice"))
    clock.pass_seconds(30)
    reserve(attempt("three", "Alice"), attempt("five", "Bob"))
    subjects = {"three": "Alice", "five": "Alice", "off": "Alice"}
    assert usage_by_limit(subjects) == {
        "three": LimitUse(3, 2, seconds_until_fewer("three", "Alice", 2)),
        "five": LimitUse(5, 0, 0),
    }


def test_a_refunded_attempt_can_be_used_again() -> None:
    for _ in range(10):
        reserve(attempt("three", "Alice")).refund()
    assert used("three", "Alice") == 0
    assert granted("three", "Alice", 10) == 3


def test_a_refusal_costs_nothing_anywhere() -> None:
    granted("three", "Alice", 3)
    for _ in range(10):
        with pytest.raises(LimitReached):
            reserve(attempt("five", "Alice"), attempt("three", "Alice"))
    assert used("five", "Alice") == 0
    assert used("three", "Alice") == 3


def test_a_limit_can_be_off() -> None:
    assert granted("off", "Alice", 100) == 100
    assert used("off", "Alice") == 0


def test_the_same_item_counts_once() -> None:
    for item in ("a", "b", "a", "b", "c"):
        assert is_granted("three", "Alice", item)
    assert not is_granted("three", "Alice", "d")
    assert is_granted("three", "Alice", "a")


def test_a_refunded_item_counts_again() -> None:
    for item in ("a", "b", "c", "d"):
        reserve(attempt("three", "Alice", item)).refund()
    assert used("three", "Alice") == 0


@pytest.mark.usefixtures("pauses_in_the_cache")
def test_simultaneous_attempts_are_granted_up_to_the_limit() -> None:
    with ThreadPoolExecutor(50) as threads:
        results = list(threads.map(lambda i: is_granted("five", "Alice"), range(500)))
    assert sum(results) == 5
    assert used("five", "Alice") == 5


def test_refunds_never_let_too_many_hold_an_attempt() -> None:
    holding = [0]
    most = [0]

    def hold(i: int) -> None:
        try:
            reservation = reserve(attempt("three", "Alice"))
        except LimitReached:
            return
        holding[0] += 1
        most[0] = max(most[0], holding[0])
        time.sleep(0.001)
        holding[0] -= 1
        reservation.refund()

    run: Callable[[int], None] = hold
    with ThreadPoolExecutor(20) as threads:
        list(threads.map(run, range(200)))
    assert 1 <= most[0] <= 3
    assert used("three", "Alice") == 0


def test_a_limit_that_refuses_with_another_one_is_off_with_it() -> None:
    assert only_if_also_reached(attempt("three", "a"), attempt("off", "a")) is None
    assert only_if_also_reached(attempt("off", "a"), attempt("three", "a")) is None
