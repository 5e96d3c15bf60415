"""Typed reading of environment variables; a bad value stops the start by its name."""

import os
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` in each window of `seconds`."""

    count: int
    seconds: int


_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    """An empty value counts as not set, so a line of `.env` may stay blank."""
    return os.environ.get(name, "").strip() or default


def secret(name: str, default: str = "") -> str:
    """As `text`. If NAME is not set, reads the file whose path is in NAME_FILE."""
    file = text(f"{name}_FILE")
    if not file or text(name):
        return text(name, default)
    try:
        return Path(file).read_text(encoding="utf-8").strip() or default
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: {file}: {error.strerror}.") from None


def flag(name: str, *, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in _TRUE | _FALSE:
        return value in _TRUE
    raise ImproperlyConfigured(f"{name}: {value!r} is neither on nor off.")


def whole(name: str, default: int, *, low: int, high: int) -> int:
    value = text(name)
    try:
        number = int(value) if value else default
    except ValueError:
        raise ImproperlyConfigured(f"{name}: {value!r} is no whole number.") from None
    if not low <= number <= high:
        raise ImproperlyConfigured(f"{name}: {number} is not in {low} to {high}.")
    return number


def words(name: str, default: str = "") -> list[str]:
    return [word for part in text(name, default).split(",") if (word := part.strip())]


def addresses(name: str) -> list[tuple[str, int]]:
    """Hosts with ports, as `one:26379,two:26379`."""
    found = []
    for word in words(name):
        host, _, port = word.rpartition(":")
        if not host or not port.isdecimal():
            raise ImproperlyConfigured(f"{name}: {word!r} is not `host:port`.")
        found.append((host, int(port)))
    return found


def span(name: str, default: str) -> tuple[float, float]:
    """Two bounds as `1,2`, or one number for both."""
    value = text(name, default)
    try:
        bounds = [float(part) for part in value.split(",")]
    except ValueError:
        bounds = []
    if len(bounds) not in (1, 2) or not 0 <= bounds[0] <= bounds[-1] <= 60:
        raise ImproperlyConfigured(
            f"{name}: {value!r} is not `from,to` with 0 <= from <= to <= 60 seconds."
        )
    return bounds[0], bounds[-1]


def limit(name: str, default: str) -> Limit | None:
    """`count/seconds`; set but empty switches the limit off."""
    value = os.environ.get(name, default).strip()
    if not value:
        return None
    try:
        count, seconds = map(int, value.split("/"))
    except ValueError:
        count = seconds = 0
    if count < 1 or seconds < 1:
        raise ImproperlyConfigured(f"{name}: {value!r} is not `count/seconds`.")
    return Limit(count, seconds)


def steps(name: str, default: str) -> list[tuple[int, int]]:
    """Pairs as `10:6,30:8`; set but empty for none."""
    value = os.environ.get(name, default).strip()
    try:
        pairs = [pair.split(":") for pair in value.split(",") if pair]
        return sorted((int(at), int(then)) for at, then in pairs)
    except ValueError:
        raise ImproperlyConfigured(f"{name}: {value!r} is not like `10:6`.") from None


def waits(name: str, default: str) -> list[int]:
    """Seconds as `60,120`, each at least one and none shorter than the one before."""
    value = text(name, default)
    try:
        seconds = [int(part) for part in value.split(",")]
    except ValueError:
        seconds = []
    if not seconds or seconds[0] < 1 or seconds != sorted(seconds):
        raise ImproperlyConfigured(f"{name}: {value!r} is not like `60,120`.")
    return seconds
