"""Typed reading of environment variables; a bad value stops the start by its name."""

import os

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    """An empty value counts as not set, so a line of `.env` may stay blank."""
    return os.environ.get(name, "").strip() or default


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


def words(name: str) -> list[str]:
    return [word for part in text(name).split(",") if (word := part.strip())]


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
