"""The limits that make a short code safe: how many wrong guesses there may be.

A wrong guess is counted in the same atomic step that checks the limits, before anybody
is told that it was wrong. Where a limit refuses, the answer is the same for a right
guess. A right guess costs nothing.

Strangers cannot lock the owner of a number out (exceptions: SECURITY.md):

- Wrong guesses make the next codes longer (`code_length`). Codes that are too short by
  then are no longer compared. Codes of the longest length always are.
- The other limits do not refuse a client that has made fewer than FRESH wrong guesses.
  For the limits of an address or network these are its guesses at this number; for the
  limits of the number, those of its network at this number; for the limit of everybody,
  those of its network today. All wrong guesses from one internet provider (a /32 of
  IPv6) are also counted together: once the number's or everybody's limit is used up,
  that count refuses, too. Its networks may all belong to one attacker.
- A device that has signed in on the number before has a few guesses of its own.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.core.cache import cache

from config.monitoring import audit
from config.refusals import LimitReached
from limits import commands
from limits.addresses import isp_of, keyed_address, network_of
from limits.budgets import (
    attempt,
    hashed_key,
    limit_reached,
    only_if_also_reached,
    unless_fresh,
)
from limits.command_types import AttemptLimit, Command, CommandRefused
from limits.slots import SERVICE, beside
from users import number_history
from users.login.clients import Client
from users.login.code_length import (
    ALL,
    PER_ADDRESS_DAY,
    PER_MONTH,
    PER_NETWORK_DAY,
    outgrown_limits,
)
from users.login.codes import LoginCode
from users.login.exceptions import (
    CodeExpired,
    CodeIncorrect,
    GuessesUsedUp,
)
from users.login.resend_wait import end_wait
from users.phones import PhoneNumber

logger = logging.getLogger(__name__)

PER_CODE = "guesses_per_code"


@dataclass(frozen=True, slots=True)
class Typos:
    """Wrong guesses that a client made before it entered the right code."""

    count: int
    counted_by: tuple[AttemptLimit, ...]

    def forgive(self) -> None:
        """Refund them, after the code was spent, so that it happens once.

        The count of the phone number stays: a sign-in must not give attackers new
        guesses.
        """
        if self.count:
            commands.refund([replace(c, amount=self.count) for c in self.counted_by])


NO_TYPOS = Typos(0, ())


def make_guess(
    code: LoginCode,
    digits: str,
    *,
    phone_number: PhoneNumber,
    client: Client,
    known_device: str | None = None,
) -> Typos:
    """Return if the digits are right.

    `known_device` is what `client.known_device` returned, which costs a query.
    Raises CodeIncorrect; and, whatever the digits are, GuessesUsedUp, LimitReached, and
    CodeExpired for a code that was spent or is too short by now. Also CodeExpired,
    without counting a guess, for the digits of the code that this one has replaced.
    """
    # A stranger's request may have replaced the code that the owner is typing. Such a
    # guess is not counted: it tells nothing about the code that is valid now.
    is_right = code.matches(digits)
    is_of_replaced = not is_right and code.are_of_replaced_code(digits)
    wrong = 0 if is_right or is_of_replaced else 1
    try:
        typos = _guess(
            code, wrong, phone_number.pseudonym, client.address, known_device
        )
        if is_of_replaced:
            raise CodeExpired(is_replaced=True)
        return typos
    except CodeIncorrect as refusal:
        facts = {"attempts_left": refusal.attempts_left}
        _record("code.wrong", phone_number, client, **facts)
        number_history.record(phone_number.pseudonym, number_history.WRONG_CODE)
        raise
    except CodeExpired as refusal:
        if refusal.is_too_short:
            # Otherwise the owner would wait while holding a code that no longer works.
            end_wait(phone_number)
        raise
    except LimitReached as refusal:
        _record("guess.refused", phone_number, client, limit=refusal.limit)
        number_history.record(
            phone_number.pseudonym, number_history.GUESS_REFUSED, refusal.limit
        )
        raise


def _record(
    event: str, phone_number: PhoneNumber, client: Client, **facts: str | int
) -> None:
    address = keyed_address(client.address)
    audit.record(event, phone=phone_number.masked, address=address, **facts)


def _guess(
    code: LoginCode, wrong: int, pseudonym: str, address: str, device: str | None
) -> Typos:
    """A known device uses its own guesses first. Then it guesses as a stranger."""
    if device:
        own = [
            attempt("guesses_per_device", f"{pseudonym} {device}"),
            attempt("guesses_per_known_devices", pseudonym),
        ]
        try:
            _count(code, wrong, guesser=f"device {device}", limits=own)
        except GuessesUsedUp:
            raise
        except LimitReached:
            pass
        else:
            return NO_TYPOS
    typos = _count(
        code,
        wrong,
        guesser=f"device {device}" if device else address,
        limits=_limits_of_strangers(pseudonym, address),
        outgrown=outgrown_limits(code, pseudonym, address),
    )
    # A known device gets no refund: some of its wrong guesses were counted only in its
    # own limits.
    return NO_TYPOS if device else typos


def _count(
    code: LoginCode,
    wrong: int,
    *,
    guesser: str,
    limits: Sequence[AttemptLimit | None],
    outgrown: Sequence[AttemptLimit] = (),
) -> Typos:
    """Check the limits, and count a wrong guess. Returns only if the guess is right.

    `guesser`: whose guesses at this code count together. `outgrown`: limits that, when
    reached, make this code too short.
    """
    per_code = AttemptLimit(
        name=PER_CODE,
        key=beside(
            code.pseudonym,
            hashed_key(f"{PER_CODE} {code.series or code.nonce} {guesser}"),
        ),
        limit=settings.LOGIN_CODE_MAX_ATTEMPTS,
        seconds=settings.LOGIN_CODE_TTL_SECONDS,
        amount=wrong,
    )
    together = code.guesses_left(taken=wrong)
    counted_by = [replace(limit, amount=wrong) for limit in limits if limit]
    # The order matters. `outgrown` and `counted_by` share names, and `counts` must get
    # the results of those that count. Each step decides which limits of the next apply:
    # first the number's, then the address's, then everybody's.
    others = sorted(
        [*outgrown, *counted_by], key=lambda limit: limit.name in (ALL, PER_ISP_DAY)
    )
    run: list[Command] = [per_code, together, *others]
    try:
        results = commands.run(run)
    except CommandRefused as refused:
        raise _refusal(code, refused, [together, *outgrown]) from None
    counts = {c.name: count for c, count in zip(run, results, strict=True)}
    if not wrong:
        forgiven = tuple(limit for limit in counted_by if limit.name in _FORGIVEN)
        return Typos(counts[PER_CODE], forgiven)
    _watch_for_attack(counts.get(ALL, 0))
    left = [limit.limit - counts[limit.name] for limit in [per_code, *outgrown]]
    blocked_for = 0
    if counts[PER_CODE] >= per_code.limit:
        # At most: the count is a sliding one.
        blocked_for = min(per_code.seconds, code.seconds_left)
    raise CodeIncorrect(attempts_left=max(min(left), 0), blocked_for=blocked_for)


def _refusal(
    code: LoginCode, refused: CommandRefused, ends_code: Sequence[Command]
) -> CodeExpired | LimitReached:
    if refused.command in ends_code:
        # If it is too short only for this client's address, others can still use it.
        is_for_all = refused.command.name in (PER_MONTH, ALL)
        return CodeExpired(is_too_short=is_for_all)
    if refused.command.name == PER_CODE:
        wait = min(math.ceil(refused.wait / 1000), code.seconds_left)
        return GuessesUsedUp(wait=wait)
    return limit_reached(refused)


PER_ISP_DAY = "guesses_per_isp_day"
# Limits of an address, a network or everybody, which count guesses at all numbers.
_FORGIVEN = ("guesses_per_address", PER_ADDRESS_DAY, PER_NETWORK_DAY, PER_ISP_DAY, ALL)


def _limits_of_strangers(pseudonym: str, address: str) -> list[AttemptLimit | None]:
    network, isp = network_of(address), isp_of(address)
    month, everybody = attempt(PER_MONTH, pseudonym), attempt(ALL, SERVICE)
    at_number = attempt("guesses_per_phone_and_address", f"{pseudonym} {address}")
    from_network = attempt("guesses_per_phone_and_network", f"{pseudonym} {network}")
    network_day = attempt(PER_NETWORK_DAY, network)
    return [
        at_number,
        unless_fresh(from_network, at_number),
        unless_fresh(attempt("guesses_per_phone_day", pseudonym), from_network),
        unless_fresh(month, from_network),
        unless_fresh(attempt("guesses_per_address", address), at_number),
        unless_fresh(attempt(PER_ADDRESS_DAY, address), at_number),
        unless_fresh(network_day, at_number),
        unless_fresh(everybody, network_day),
        *(_limits_of_isp(isp, pseudonym, month, everybody) if isp else []),
    ]


def _limits_of_isp(
    isp: str,
    pseudonym: str,
    month: AttemptLimit | None,
    everybody: AttemptLimit | None,
) -> list[AttemptLimit | None]:
    """Whoever has a /32 could use the FRESH guesses of each of its 65,536 networks."""
    at_number = attempt("guesses_per_phone_and_isp", f"{pseudonym} {isp}")
    at_all = attempt(PER_ISP_DAY, f"{SERVICE} {isp}")
    return [
        only_if_also_reached(at_number, month),
        only_if_also_reached(at_all, everybody),
    ]


def _watch_for_attack(wrong_guesses: int) -> None:
    """Log once a day that the wrong guesses of everybody made the codes longer."""
    for at, digits in settings.LOGIN_CODE_GROWTH_OVERALL:
        if wrong_guesses == at and cache.add(f"guesses-alarm:{digits}", 1, 86_400):
            is_last = digits == settings.LOGIN_CODE_MAX_LENGTH
            level = logging.ERROR if is_last else logging.WARNING
            audit.record("alarm", limit=ALL)
            logger.log(
                level,
                "%d wrong guesses in a day, an attack? New codes have %d digits.",
                at,
                digits,
            )
