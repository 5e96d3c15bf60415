"""The limits on sending codes: an SMS costs money, and too many annoy people.

Strangers cannot lock the owner of a number out (exceptions: SECURITY.md):

- A code always arrives at the owner's phone, whoever asked for it. The last KEPT_SENDS
  messages that a number may get in an hour or a day carry a code of the longest length,
  valid until the number may get another message. Strangers who ask meanwhile are told
  that a code was sent. The next of these messages is sent only after the code was used.
- Some sends of each number and of the whole service are reserved for known devices.
- When a set share of a limit that many strangers share is used, they have to solve a
  challenge.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace

from django.conf import settings
from django.core.cache import cache

from config.monitoring import audit
from limits.addresses import network_of
from limits.budgets import attempt, seconds_until_fewer
from limits.command_types import AttemptLimit
from limits.slots import SERVICE
from users.phones import PhoneNumber, country_of

logger = logging.getLogger(__name__)

# The last messages of an hour or a day, whose codes live until the number may get more.
KEPT_SENDS = 3
PER_NUMBER = ("sends_per_phone_hour", "sends_per_phone_day")
PER_DEVICE = ("sends_per_device", "sends_per_known_devices")
# The client's own. They stay charged if the provider refuses the message: otherwise one
# client could have the provider asked without end.
PER_CLIENT = ("sends_per_device", "sends_per_address", "sends_per_network")
# Limits that a stranger may reach because of others.
SHARED = (
    "sends_per_address",
    "phones_per_address",
    "sends_per_network",
    "sends_per_network_and_country",
    "sends_per_country",
    "sends_by_strangers",
)
ALL = "sends"


def limits_of_device(pseudonym: str, device: str) -> list[AttemptLimit | None]:
    return [
        attempt("sends_per_device", f"{pseudonym} {device}"),
        attempt("sends_per_known_devices", pseudonym),
    ]


def limits_of_address(
    phone_number: PhoneNumber, address: str
) -> list[AttemptLimit | None]:
    network = network_of(address)
    limits = [
        attempt("sends_per_address", address),
        attempt("phones_per_address", address, item=phone_number.pseudonym),
        attempt("sends_per_network", network),
    ]
    if country := _limited_country(phone_number):
        name = "sends_per_network_and_country"
        limits.append(attempt(name, f"{network} {country}"))
    return limits


def limits_of_number(
    pseudonym: str, address: str, is_sign_in: bool
) -> list[AttemptLimit | None]:
    limits = [attempt(name, pseudonym) for name in PER_NUMBER]
    if not is_sign_in:
        limits = [_without_kept(name, pseudonym) for name in PER_NUMBER] + limits
    return [*limits, attempt("sends_per_phone_and_address", f"{pseudonym} {address}")]


def limits_of_all_strangers(phone_number: PhoneNumber) -> list[AttemptLimit | None]:
    limits = [attempt("sends_by_strangers", SERVICE)]
    if country := _limited_country(phone_number):
        limits.append(attempt("sends_per_country", f"{SERVICE} {country}"))
    return limits


def _limited_country(phone_number: PhoneNumber) -> str | None:
    country = country_of(phone_number)
    return None if country == settings.PHONE_DEFAULT_REGION else country


def _without_kept(name: str, pseudonym: str) -> AttemptLimit | None:
    """Refuses when only the kept sends are left."""
    limit = attempt(name, pseudonym)
    return limit and replace(limit, limit=limit.limit - _kept(limit), amount=0)


def seconds_until_next_if_last(
    pseudonym: str, results: Mapping[str, int]
) -> int | None:
    """Seconds until the number may get another message, if this is one of its last."""
    waits = []
    for name in PER_NUMBER:
        limit = attempt(name, pseudonym)
        if limit and results[name] > limit.limit - _kept(limit):
            waits.append(seconds_until_fewer(name, pseudonym, results[name]))
    return max(waits, default=None)


def _kept(limit: AttemptLimit) -> int:
    """How many sends are kept: KEPT_SENDS, at most half of the limit, at least one."""
    return min(KEPT_SENDS, max(limit.limit // 2, 1))


def warn_at_half_of_all_sends(sends: int) -> None:
    """Log once in a period that half of the service's limit on sends is used."""
    limit = settings.LIMITS[ALL]
    if limit is None or sends < limit.count // 2:
        return
    if cache.add("sends-alarm", 1, limit.seconds):
        audit.record("alarm", limit=ALL)
        logger.error("half of %s is used: an attack, or is LIMIT_SENDS low?", limit)
