from threading import Thread
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache

from limits.budgets import reserve
from limits.counters import Counter, UsedUp, end, give_back, take

# Three uses, counted up to zero: what is not there has none.
LIFE = Counter("life", "a-life", most=0, seconds_left=60)


@pytest.fixture
def life() -> Counter:
    cache.set(LIFE.key, -3, 60)
    return LIFE


def test_what_ends_at_zero_has_no_use_before_it_begins() -> None:
    with pytest.raises(UsedUp):
        take([LIFE])


def test_what_was_ended_has_no_use_left(life: Counter) -> None:
    assert take([life]) == [-2]
    assert end(life)
    assert not end(life)
    give_back([life])  # by somebody who took it before
    with pytest.raises(UsedUp):
        take([life])


@pytest.mark.skipif(bool(settings.REDIS_URL), reason="Redis runs a script whole")
def test_nobody_counts_on_what_ends_meanwhile(
    life: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    get, ending = cache.get, Thread(target=end, args=[life])

    def get_then_end(*args: Any) -> Any:
        value = get(*args)
        if not ending.ident:
            ending.start()
            ending.join()
        return value

    monkeypatch.setattr(cache, "get", get_then_end)
    take([life])
    assert get(life.key) is None


def test_the_last_use_is_given_back_as_any_other(life: Counter) -> None:
    for _ in range(2):
        take([life])
    for _ in range(2):
        reserve(life).give_back()
    assert take([life]) == [0]


def test_a_look_tells_and_uses_nothing() -> None:
    uses = Counter("uses", "some-uses", most=5, seconds_left=60)
    look = uses._replace(step=0)
    assert take([look, uses]) == [0, 1]
    assert take([look]) == [1]
    with pytest.raises(UsedUp):
        take([look._replace(most=1)])


def test_a_step_is_counted_and_given_back_whole() -> None:
    moment = Counter("moment", "a-moment", most=1, seconds_left=60, step=1_790_000)
    assert take([moment]) == [1_790_000]
    with pytest.raises(UsedUp):
        take([moment])
    give_back([moment])
    assert take([moment]) == [1_790_000]
