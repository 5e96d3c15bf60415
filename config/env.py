"""Typed reading of environment variables; a bad value stops the start by its name."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dj_database_url
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


def optional(name: str, default: str) -> str:
    """As `text`, but set and empty for none."""
    return os.environ.get(name, default).strip()


def secret(name: str, default: str = "") -> str:
    """As `text`. If NAME is not set, reads the file whose path is in NAME_FILE."""
    file = text(f"{name}_FILE")
    if not file or text(name):
        return text(name, default)
    try:
        return Path(file).read_text(encoding="utf-8").strip() or default
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: {file}: {error.strerror}.") from None


# dj_database_url knows more. Their URLs would be read as if they were PostgreSQL's.
_DATABASES = {"sqlite", "postgresql", "postgres", "pgsql", "postgis"}


def database(name: str, default: str) -> dict[str, Any]:
    """A URL of PostgreSQL, or of SQLite for development, as an entry of DATABASES."""
    url = secret(name, default)
    scheme = url.partition("://")[0] if "://" in url else ""
    if scheme not in _DATABASES:  # the rest of the URL may be a password
        raise ImproperlyConfigured(
            f"{name}: {scheme or 'without a scheme, this'} is not supported. It must be"
            " `postgresql://user:password@host:5432/database`. docs/capacity.md says"
            " what is known of other databases."
        )
    return dict(dj_database_url.parse(url))


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


def base_url(name: str) -> str:
    """Scheme and host, as `https://referral.example.com`; no slash at the end."""
    value = text(name)
    origin = _origin(value.removesuffix("/"))
    if value and not origin.startswith(("https://", "http://")):
        raise ImproperlyConfigured(
            f"{name}: {value!r} is not like `https://referral.example.com`. A path is"
            " refused, because the service works only at the root of a host."
        )
    return origin


def origins(name: str) -> list[str]:
    """Origins of web pages, as browsers write them: `https://app.example.com`."""
    found = []
    for word in words(name):
        if not (origin := _origin(word)):
            raise ImproperlyConfigured(
                f"{name}: {word!r} is not an origin like `https://app.example.com`."
                " Name each origin: wildcards, `null` and paths are not allowed."
            )
        found.append(origin)
    return found


_ORIGIN = re.compile(
    r"([a-z][a-z\d+.-]*)://([a-z\d.-]+|\[[a-f\d:.]+\])(:\d{1,5})?", re.ASCII
)


def _origin(value: str) -> str:
    """As browsers write it: lower case, no default port. Empty if it is no origin."""
    match = _ORIGIN.fullmatch(value.lower())
    if not match:
        return ""
    scheme, host, port = match.groups(default="")
    is_default = (scheme, port) in {("https", ":443"), ("http", ":80")}
    return f"{scheme}://{host}" + ("" if is_default else port)


_ANDROID_APP = re.compile(
    r"([a-zA-Z]\w*(?:\.[a-zA-Z]\w*)+):((?:[\da-fA-F]{2}:){31}[\da-fA-F]{2})", re.ASCII
)
_APPLE_APP = re.compile(r"[A-Z\d]{10}(\.[\w-]+)+", re.ASCII)


def android_apps(name: str) -> dict[str, list[str]]:
    """Fingerprints of certificates by package, from `package:AB:CD:…,package:…`."""
    found: dict[str, list[str]] = {}
    for word in words(name):
        if not (match := _ANDROID_APP.fullmatch(word)):
            raise ImproperlyConfigured(
                f"{name}: {word!r} is not `package:fingerprint` with the SHA-256"
                " fingerprint of the app's certificate, 32 pairs of hexadecimal digits"
                " separated by colons."
            )
        found.setdefault(match[1], []).append(match[2].upper())
    return found


def apple_apps(name: str) -> list[str]:
    """App IDs, as `ABCDE12345.com.example.app`."""
    found = words(name)
    for word in found:
        if not _APPLE_APP.fullmatch(word):
            raise ImproperlyConfigured(
                f"{name}: {word!r} is not like `ABCDE12345.com.example.app`, the team's"
                " ten capital letters and digits and the bundle ID."
            )
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
