"""The limits on sending codes: an SMS costs money, and too many annoy people.

No limit keeps the owner of a number out, whatever strangers do:

- A code always arrives at the owner's phone, whoever asked for it. The last KEPT_SENDS
  messages that a number may get in an hour or a day carry a code of the longest length,
  valid until the number may get another message. Strangers who ask meanwhile are told
  that a code was sent. The next of these messages is sent only after the code was used.
- Some sends of each number and of the whole service are reserved for known devices.
- When a set share of a limit that many strangers share is used, they have to solve a
  challenge.
"""

import logging
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError

from config.monitoring import audit
from config.refusals import LimitReached
from config.server.redis_pool import REDIS_FAILS
from limits import commands
from limits.addresses import keyed_address, network_of
from limits.budgets import Reservation, attempt, check, reserve, seconds_until_fewer
from limits.commands import AttemptLimit, Command
from limits.slots import SERVICE, beside
from users import challenges, number_history
from users.channels.exceptions import SmsUnavailable, SmsUnsure
from users.login.clients import Client
from users.login.code_length import length_of_next_code, wrong_guesses
from users.login.exceptions import ResendTooSoon
from users.login.resend_wait import (
    RECENT_SENDS,
    Asker,
    free_at,
    recent_sends,
    seconds_until_free,
    send_lock,
    wait_after,
)
from users.phones import PhoneNumber, country_of
from users.statistics import daily_counts

logger = logging.getLogger(__name__)

# The last messages of an hour or a day, whose codes live until the number may get more.
KEPT_SENDS = 3
PER_NUMBER = ("sends_per_phone_hour", "sends_per_phone_day")
PER_DEVICE = ("sends_per_device", "sends_per_known_devices")
# Limits that a stranger may reach because of others.
SHARED = (
    "sends_per_address",
    "phones_per_address",
    "sends_per_network",
    "sends_per_country",
    "sends_by_strangers",
)
ALL = "sends"

# The kill switch for all sending. Key: one for the service. Value: 1. TTL: none.
_STOPPED = commands.Switch(
    name="sending_stopped", key=beside(SERVICE, "sms-sending-stopped")
)


@dataclass(frozen=True, slots=True)
class Send:
    """Permission for one SMS."""

    next_at: float  # when the number may ask again, in seconds since the epoch
    code_length: int  # digits, if a new code is made
    last_for: int | None  # seconds in which no other SMS can be sent; None if one can
    sent_today: int  # codes of the whole service today, this one included


@contextmanager
def reserve_send(
    phone_number: PhoneNumber,
    client: Client,
    *,
    is_sign_in: bool = True,
) -> Iterator[Send]:
    """Permission for one SMS, refunded if the block raises.

    `is_sign_in`: whether the code is one to sign in with. Other codes may not use the
    number's KEPT_SENDS, and have a wait of their own. If the provider may bill this
    attempt, the limits stay charged. Then only the wait and today's count are refunded,
    and not even these if an SmsUnsure could not be stored. Raises ResendTooSoon,
    LimitReached, ChallengeRequired, and SmsUnavailable while sending is stopped.
    """
    pseudonym, device = phone_number.pseudonym, client.known_device(phone_number)
    try:
        lock, reservation = _reserve(phone_number, client, device, is_sign_in)
    except LimitReached as refusal:
        if refusal.limit not in PER_DEVICE:
            raise
        device = None  # it has used up its own sends: from now on it is a stranger
        lock, reservation = _reserve(phone_number, client, None, is_sign_in)
    results = reservation.results
    wait = wait_after(results[RECENT_SENDS])
    last_for = None if device else _last_for(pseudonym, results)
    if last_for:
        wait = max(wait, last_for)
    next_at = time.time() + wait
    try:
        yield Send(
            next_at=next_at,
            code_length=(
                settings.LOGIN_CODE_MAX_LENGTH
                if last_for
                else length_of_next_code(results)
            ),
            last_for=last_for,
            sent_today=results[daily_counts.CODES_SENT],
        )
    except SmsUnsure as unsure:
        if not unsure.is_new:
            reservation.refund()
        elif unsure.is_noted:  # asking again finds out, and sends no second message
            reservation.refund(lock.name, RECENT_SENDS, daily_counts.CODES_SENT)
        _record_failure(pseudonym, number_history.UNSURE)
        raise
    except SmsUnavailable as failure:
        if failure.is_billed:
            reservation.refund(lock.name, RECENT_SENDS, daily_counts.CODES_SENT)
        else:
            reservation.refund()
        _record_failure(pseudonym, number_history.NOT_SENT)
        raise
    except Exception:
        reservation.refund()
        raise
    with suppress(*REDIS_FAILS):  # the SMS is on its way: do not answer 503
        # If all three are equal, the lock's TTL is right already.
        if not wait == wait_after(1) == lock.seconds:
            cache.set(lock.key, int(next_at * 1000), max(next_at - time.time(), 0))
        _watch_the_bill(results.get(ALL, 0))


def _record_failure(pseudonym: str, event: str) -> None:
    with suppress(DatabaseError, *REDIS_FAILS):
        daily_counts.count(daily_counts.SMS_FAILURES)
    number_history.record(pseudonym, event)


def _reserve(
    phone_number: PhoneNumber, client: Client, device: str | None, is_sign_in: bool
) -> tuple[commands.Lock, Reservation]:
    """Reserve the wait and the limits of a known device; without one, a stranger's."""
    pseudonym = phone_number.pseudonym
    lock = send_lock(pseudonym, Asker.of(device, is_sign_in=is_sign_in))
    # Three steps: the address, the number, the service. If the number were the first,
    # somebody whose address may send no more could keep its lock from the owner, each
    # time for a moment. The service is the last, because refused requests would fill
    # its limits for a moment; and hardly any request is refused there.
    wanted = [
        *([] if device else _limits_of_address(pseudonym, client.address)),
        lock,
        recent_sends(lock),
        *(
            _limits_of_device(pseudonym, device)
            if device
            else _limits_of_number(pseudonym, client.address, is_sign_in)
        ),
        _STOPPED,
        *([] if device else _limits_of_all_strangers(phone_number)),
        attempt(ALL, SERVICE),
        # In the same steps: what decides the code's length, and today's count.
        *wrong_guesses(pseudonym, client),
        daily_counts.count_command(daily_counts.CODES_SENT),
    ]
    try:
        return lock, _reserve_or_challenge(wanted, client.challenge_solution)
    except LimitReached as refusal:
        if refusal.limit == _STOPPED.name:
            raise SmsUnavailable from None
        audit.record(
            "code.refused",
            phone=phone_number.masked,
            address=keyed_address(client.address),
            limit=refusal.limit,
        )
        number_history.record(pseudonym, number_history.SEND_REFUSED, refusal.limit)
        # Whatever refused: somebody who waits is told how long.
        if held_until := free_at(lock):
            # This costs one of the address's sends. Otherwise strangers could find out
            # for free whether a number was just sent a code. Asking again during the
            # same wait is free, because it reveals nothing new.
            item = f"{lock.key} {held_until}"
            reserve(attempt("sends_per_address", client.address, item=item))
            raise ResendTooSoon(wait=seconds_until_free(lock)) from None
        raise


def _reserve_or_challenge(
    wanted: Sequence[Command | None], solution: str
) -> Reservation:
    """Raises ChallengeRequired past the soft limits, unless the solution is right.

    The solution is looked at last, because it is accepted once.
    """
    if challenges.backend() is None:
        return reserve(*wanted)
    try:
        return reserve(*map(_softened, wanted))
    except LimitReached as refusal:
        if refusal.limit not in SHARED:
            raise
        # Nobody should solve one in vain.
        check(*(c for c in wanted if c and c.name not in SHARED))
        if not challenges.is_solved(solution):
            raise challenges.required(
                limit=refusal.limit, wait=refusal.retry_after
            ) from None
    return reserve(*wanted)


def _softened(command: Command | None) -> Command | None:
    if not isinstance(command, AttemptLimit) or command.name not in SHARED:
        return command
    share = command.limit * settings.CHALLENGE_FROM_PERCENT / 100
    return replace(command, limit=math.ceil(share))


def _limits_of_device(pseudonym: str, device: str) -> list[AttemptLimit | None]:
    return [
        attempt("sends_per_device", f"{pseudonym} {device}"),
        attempt("sends_per_known_devices", pseudonym),
    ]


def _limits_of_address(pseudonym: str, address: str) -> list[AttemptLimit | None]:
    return [
        attempt("sends_per_address", address),
        attempt("phones_per_address", address, item=pseudonym),
        attempt("sends_per_network", network_of(address)),
    ]


def _limits_of_number(
    pseudonym: str, address: str, is_sign_in: bool
) -> list[AttemptLimit | None]:
    limits = [attempt(name, pseudonym) for name in PER_NUMBER]
    if not is_sign_in:
        limits = [_without_kept(name, pseudonym) for name in PER_NUMBER] + limits
    return [*limits, attempt("sends_per_phone_and_address", f"{pseudonym} {address}")]


def _limits_of_all_strangers(phone_number: PhoneNumber) -> list[AttemptLimit | None]:
    limits = [attempt("sends_by_strangers", SERVICE)]
    country = country_of(phone_number)
    if country != settings.PHONE_DEFAULT_REGION:
        limits.append(attempt("sends_per_country", f"{SERVICE} {country}"))
    return limits


def _without_kept(name: str, pseudonym: str) -> AttemptLimit | None:
    """Refuses when only the kept sends are left."""
    limit = attempt(name, pseudonym)
    return limit and replace(limit, limit=limit.limit - _kept(limit), amount=0)


def _last_for(pseudonym: str, results: Mapping[str, int]) -> int | None:
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


def _watch_the_bill(sends: int) -> None:
    """Log once in a period that half of the service's limit on sends is used."""
    limit = settings.LIMITS[ALL]
    if limit is None or sends < limit.count // 2:
        return
    if cache.add("sends-alarm", 1, limit.seconds):
        audit.record("alarm", limit=ALL)
        logger.error("half of %s is used: an attack, or is LIMIT_SENDS low?", limit)


def stop() -> None:
    """The kill switch: no SMS to anybody until `start`."""
    cache.set(_STOPPED.key, 1, None)


def start() -> None:
    cache.delete(_STOPPED.key)


def is_stopped() -> bool:
    return bool(cache.get(_STOPPED.key))
