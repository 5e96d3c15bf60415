"""Reserving the wait and the limits of one send: all or none, refunded if it fails."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError

from config.monitoring import audit
from config.refusals import LimitReached
from config.server.redis_pool import REDIS_FAILS
from limits.addresses import keyed_address
from limits.budgets import Reservation, attempt, check, reserve
from limits.command_types import AttemptLimit, Command, Lock
from limits.slots import SERVICE
from users import challenges, number_history
from users.channels.exceptions import SmsUnavailable, SmsUnsure
from users.login.clients import Client
from users.login.code_length import length_of_next_code, wrong_guesses
from users.login.exceptions import ResendTooSoon
from users.login.kill_switch import SENDING_STOPPED
from users.login.resend_wait import (
    RECENT_SENDS,
    Asker,
    free_at,
    recent_sends,
    seconds_until_free,
    send_lock,
    wait_after,
)
from users.login.send_limits import (
    ALL,
    PER_CLIENT,
    PER_DEVICE,
    SHARED,
    limits_of_address,
    limits_of_all_strangers,
    limits_of_device,
    limits_of_number,
    seconds_until_next_if_last,
    warn_at_half_of_all_sends,
)
from users.phones import PhoneNumber
from users.statistics import daily_counts


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
    and not even these if an SmsUnsure could not be stored. If the provider refuses the
    message, the limits of the client stay charged. Raises ResendTooSoon,
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
    last_for = None if device else seconds_until_next_if_last(pseudonym, results)
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
    except Exception as failure:
        _refund(failure, lock, reservation)
        if isinstance(failure, SmsUnavailable):
            _record_failure(failure, pseudonym)
        raise
    with suppress(*REDIS_FAILS):  # the SMS is on its way: do not answer 503
        # If all three are equal, the lock's TTL is right already.
        if not wait == wait_after(1) == lock.seconds:
            cache.set(lock.key, int(next_at * 1000), max(next_at - time.time(), 0))
        warn_at_half_of_all_sends(results.get(ALL, 0))


def _refund(failure: Exception, lock: Lock, reservation: Reservation) -> None:
    """Everything, unless the provider may bill or refused it: see `reserve_send`."""
    wait_and_count = (lock.name, RECENT_SENDS, daily_counts.CODES_SENT)
    if isinstance(failure, SmsUnsure) and failure.is_new:
        if failure.is_noted:  # asking again finds out, and sends no second message
            reservation.refund(*wait_and_count)
    elif isinstance(failure, SmsUnavailable) and failure.is_billed:
        reservation.refund(*wait_and_count)
    elif isinstance(failure, SmsUnavailable) and failure.is_refused:
        reservation.refund(keep=PER_CLIENT)
    else:
        reservation.refund()


def _record_failure(failure: SmsUnavailable, pseudonym: str) -> None:
    is_unsure = isinstance(failure, SmsUnsure)
    event = number_history.UNSURE if is_unsure else number_history.NOT_SENT
    with suppress(DatabaseError, *REDIS_FAILS):
        daily_counts.count(daily_counts.SMS_FAILURES)
    number_history.record(pseudonym, event)


def _reserve(
    phone_number: PhoneNumber, client: Client, device: str | None, is_sign_in: bool
) -> tuple[Lock, Reservation]:
    """Reserve the wait and the limits of a known device; without one, a stranger's."""
    pseudonym = phone_number.pseudonym
    lock = send_lock(pseudonym, Asker.of(device, is_sign_in=is_sign_in))
    # Three steps: the address, the number, the service. If the number were the first,
    # somebody whose address may send no more could keep its lock from the owner, each
    # time for a moment. The service is the last, because refused requests would fill
    # its limits for a moment; and hardly any request is refused there.
    wanted = [
        *([] if device else limits_of_address(phone_number, client.address)),
        lock,
        recent_sends(lock),
        *(
            limits_of_device(pseudonym, device)
            if device
            else limits_of_number(pseudonym, client.address, is_sign_in)
        ),
        SENDING_STOPPED,
        *([] if device else limits_of_all_strangers(phone_number)),
        attempt(ALL, SERVICE),
        # In the same steps: what decides the code's length, and today's count.
        *wrong_guesses(pseudonym, client),
        daily_counts.count_command(daily_counts.CODES_SENT),
    ]
    try:
        return lock, _reserve_or_challenge(wanted, client.challenge_solution)
    except LimitReached as refusal:
        if refusal.limit == SENDING_STOPPED.name:
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
