import time
from contextlib import suppress
from dataclasses import replace
from threading import Thread
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core.cache import cache
from redis.exceptions import RedisClusterException

from conftest import Clock
from limits import commands, histories
from limits.command_types import (
    AttemptCount,
    AttemptLimit,
    CommandRefused,
    Countdown,
    DistinctLimit,
    Lock,
    Switch,
    Tally,
    TimeUntilFewer,
)
from limits.commands import check, end, refund, run

GUESSES = Countdown(name="guesses", key="guesses-left")


def attempts(**changes: Any) -> AttemptLimit:
    """Two a minute, made now."""
    facts = {"name": "attempts", "key": "attempts", "limit": 2, "seconds": 60}
    return AttemptLimit(**{**facts, **changes})


@pytest.fixture
def three_guesses() -> Countdown:
    cache.set(GUESSES.key, 3, 60)
    return GUESSES


def test_attempts_are_refused_above_the_limit() -> None:
    assert [run([attempts()]), run([attempts()])] == [[1], [2]]
    with pytest.raises(CommandRefused) as refused:
        run([attempts()])
    assert refused.value.command == attempts()
    refund([attempts()])
    assert run([attempts()]) == [2]


def test_in_no_period_are_there_more_attempts_than_the_limit(clock: Clock) -> None:
    """Asked every second for ten minutes."""
    granted: list[int] = []
    for second in range(600):
        with suppress(CommandRefused):
            run([attempts()])
            granted.append(second)
        clock.pass_seconds(1)
    apart = [later - first for first, later in zip(granted, granted[2:], strict=False)]
    assert min(apart) >= 60
    assert max(apart) <= 66  # a twelfth longer


def test_a_refusal_tells_how_long_to_wait(clock: Clock) -> None:
    run([attempts()])
    clock.pass_seconds(30)
    run([attempts()])
    with pytest.raises(CommandRefused) as refused:
        run([attempts()])
    assert 30_000 <= refused.value.wait <= 35_000
    clock.pass_seconds(refused.value.wait / 1000 - 0.001)
    with pytest.raises(CommandRefused):
        run([attempts()])
    clock.pass_seconds(0.001)
    assert run([attempts()]) == [2]


def test_a_check_counts_nothing() -> None:
    check = attempts(amount=0)
    assert [run([check]), run([check])] == [[0], [0]]
    run([attempts(), attempts()])
    with pytest.raises(CommandRefused):
        run([check])


def test_a_refund_takes_the_latest_attempts_back(clock: Clock) -> None:
    run([attempts()])
    clock.pass_seconds(40)
    run([attempts()])
    refund([attempts(amount=2)])
    assert run([attempts(amount=0)]) == [0]
    refund([attempts()])  # there is nothing left to take back
    assert run([attempts()]) == [1]


def test_whoever_has_not_used_the_share_is_not_refused() -> None:
    share = AttemptLimit(name="share", key="{one}share", limit=1, seconds=60)
    limit = attempts(key="{one}attempts", unless=share)
    run([attempts(key=limit.key), attempts(key=limit.key)])
    assert run([limit]) == [3]
    run([share])
    with pytest.raises(CommandRefused) as refused:
        run([limit])
    assert refused.value.command == limit


def test_a_share_may_be_counted_elsewhere_by_an_earlier_step() -> None:
    share = attempts(name="share", key="{one}share", limit=1)
    limit = attempts(key="{two}attempts", unless=share)
    run([attempts(key=limit.key), attempts(key=limit.key)])
    counted = replace(share, limit=9)
    assert run([counted, limit]) == [1, 3]  # this attempt itself does not count
    with pytest.raises(CommandRefused) as refused:
        run([counted, limit])
    assert refused.value.command == limit
    assert run([replace(share, limit=9, amount=0)]) == [1]


def test_the_same_item_is_counted_once() -> None:
    def item(key: str) -> DistinctLimit:
        return DistinctLimit(
            name="items", key="{1}", limit=2, seconds=60, item_key="{1}" + key
        )

    assert run([item("a")]) == [1]
    assert run([item("b")]) == [2]
    assert run([item("a")]) == [0]
    with pytest.raises(CommandRefused):
        run([item("c")])
    refund([item("b")])
    assert run([item("c")]) == [2]


def test_a_lock_has_one_holder_and_tells_when_it_is_free() -> None:
    free_at = time.time() + 60
    lock = Lock(name="lock", key="a-lock", free_at=free_at, seconds=60)
    assert run([lock]) == [1]
    assert cache.get(lock.key) == int(free_at * 1000)
    with pytest.raises(CommandRefused):
        run([lock])
    refund([lock])
    assert run([lock]) == [1]


def test_a_countdown_that_was_not_stored_has_nothing_left() -> None:
    with pytest.raises(CommandRefused):
        run([GUESSES])


def test_a_countdown_ends_at_zero(three_guesses: Countdown) -> None:
    assert [run([three_guesses])[0] for _ in range(3)] == [2, 1, 0]
    with pytest.raises(CommandRefused):
        run([three_guesses])
    with pytest.raises(CommandRefused):
        run([replace(three_guesses, amount=0)])
    refund([three_guesses])
    assert run([replace(three_guesses, amount=0), three_guesses]) == [1, 0]


def test_a_countdown_that_was_ended_stays_ended(three_guesses: Countdown) -> None:
    run([three_guesses])
    assert end(three_guesses.key)
    assert not end(three_guesses.key)
    refund([three_guesses])
    with pytest.raises(CommandRefused):
        run([three_guesses])


@pytest.mark.skipif(bool(settings.REDIS_URL), reason="Redis runs a script whole")
def test_a_key_that_is_ended_during_a_run_is_not_made_again(
    three_guesses: Countdown, monkeypatch: pytest.MonkeyPatch
) -> None:
    get, ending = cache.get, Thread(target=end, args=[three_guesses.key])

    def get_then_end(*args: Any) -> Any:
        value = get(*args)
        if not ending.ident:
            ending.start()
            ending.join()
        return value

    monkeypatch.setattr(cache, "get", get_then_end)
    run([three_guesses])
    assert get(three_guesses.key) is None


def test_a_switch_refuses_while_it_is_set() -> None:
    switch = Switch(name="stopped", key="stopped")
    assert run([switch]) == [0]
    cache.set(switch.key, 1, None)
    with pytest.raises(CommandRefused):
        run([switch])


def test_a_tally_counts_and_never_refuses() -> None:
    tally = Tally(name="tally", key="a-tally", seconds=60)
    assert [run([tally])[0] for _ in range(3)] == [1, 2, 3]
    refund([tally])
    assert run([tally]) == [3]


def test_a_refused_list_and_a_check_add_nothing_to_a_history() -> None:
    add = histories.add_command("a-history", ["entry"], at_most=5, seconds=60)
    check([add])
    with pytest.raises(CommandRefused):
        run([add, GUESSES])
    assert histories.entries("a-history") == []


def test_what_is_in_a_history_is_not_refunded() -> None:
    add = histories.add_command("a-history", ["entry"], at_most=5, seconds=60)
    assert run([add]) == [0]
    refund([add])
    assert histories.entries("a-history") == [["entry"]]


def test_reading_changes_nothing() -> None:
    read = AttemptCount(name="attempts", key="attempts", seconds=60)
    assert run([read, attempts()]) == [0, 1]
    assert run([read, read]) == [1, 1]
    refund([read])
    assert run([read]) == [1]


def test_the_time_until_fewer_attempts_count(clock: Clock) -> None:
    def wait() -> int:
        command = TimeUntilFewer(name="wait", key="attempts", seconds=60)
        refund([command])
        return run([command])[0]

    assert wait() == 0
    run([attempts()])
    clock.pass_seconds(30)
    run([attempts()])
    assert 30_000 <= wait() <= 35_000
    clock.pass_seconds(wait() / 1000)
    assert run([attempts(amount=0)]) == [1]
    refund([attempts()])
    assert wait() == 0


@pytest.mark.parametrize("name", ["guesses", "attempts", "stopped"])
@pytest.mark.parametrize("is_cluster", [False, True])
def test_one_refusal_runs_none(
    name: str, is_cluster: bool, settings: LazySettings
) -> None:
    settings.REDIS_IS_CLUSTER = is_cluster  # then the first step is refunded
    cache.set("stopped", 1, None)
    run([attempts()])
    run([attempts()])
    tally = Tally(name="tally", key="a-tally", seconds=60)
    refusing = [GUESSES, attempts(), Switch(name="stopped", key="stopped")]
    with pytest.raises(CommandRefused) as refused:
        run([tally, *(command for command in refusing if command.name == name)])
    assert refused.value.command.name == name
    assert not cache.get(tally.key)


def test_a_check_runs_none() -> None:
    lock = Lock(name="lock", key="a-lock", free_at=0, seconds=60)
    check([attempts(limit=1), lock])
    check([attempts(limit=1), lock])
    run([lock])
    with pytest.raises(CommandRefused):
        check([attempts(limit=1), lock])


@pytest.mark.usefixtures("redis_cluster")
def test_the_later_step_is_not_run_when_an_earlier_one_refuses() -> None:
    run([attempts(limit=1)])
    lock = Lock(name="lock", key="a-lock", free_at=0, seconds=60)
    with pytest.raises(CommandRefused):
        run([attempts(limit=1), lock])
    assert cache.get(lock.key) is None


@pytest.mark.usefixtures("redis_cluster")
@pytest.mark.parametrize("failing", ["second", "refund"])
def test_a_step_that_fails_gives_the_earlier_steps_back(
    failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If that fails, too, the first failure is reported and the count stays."""
    call = commands._call

    def fail(action: Any, step: Any) -> Any:
        if step[0].key == "second" or (failing, action) == ("refund", "refund"):
            raise RedisClusterException(action)
        return call(action, step)

    monkeypatch.setattr(commands, "_call", fail)
    with pytest.raises(RedisClusterException, match="run"):
        run([attempts(), attempts(key="second")])
    monkeypatch.undo()
    left = 0 if failing == "second" else 1
    assert run([attempts(amount=0)]) == [left]


def test_an_item_stays_counted_if_one_of_two_attempts_with_it_is_given_back() -> None:
    """Otherwise two requests at once would have one number sent to for free."""
    item = DistinctLimit(name="items", key="{1}", limit=1, seconds=60, item_key="{1}a")
    run([item])
    run([item])
    refund([item])
    other = replace(item, item_key="{1}b")
    with pytest.raises(CommandRefused):
        run([other])
    refund([item])
    refund([item])  # there is nothing left to refund
    assert run([other]) == [1]


def test_no_commands_are_no_round_trip() -> None:
    assert run([]) == []
