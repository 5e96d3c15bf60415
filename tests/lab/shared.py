"""Phone numbers, wrong codes and simultaneous calls, for tests of every kind."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

_drawn: set[str] = set()


def new_phone_number() -> str:
    """A number not used in this run. Plain random numbers would sometimes repeat."""
    while (number := f"+7999{secrets.randbelow(10**7):07}") in _drawn:
        pass
    _drawn.add(number)
    return number


def wrong(code: str, by: int = 1) -> str:
    """Another code of the same length."""
    return f"{(int(code) + by) % 10 ** len(code):0{len(code)}}"


def at_once(
    number: int, act: Callable[[int], Result], *, threads: int = 100
) -> list[Result]:
    """The results of `number` calls, up to `threads` of them at the same time."""
    with ThreadPoolExecutor(min(number, threads)) as pool:
        return list(pool.map(act, range(number)))
