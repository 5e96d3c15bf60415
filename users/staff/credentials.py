"""Checks of what staff sign in with: each is counted, limited and recorded."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.http import HttpRequest

from config.monitoring import audit
from config.refusals import LimitReached
from limits.addresses import client_address, keyed_address, network_of
from limits.budgets import attempt, reserve, unless_fresh
from limits.command_types import AttemptLimit
from users.phones import PhoneNumber


@contextmanager
def counted_guess(
    name: str, limits: Sequence[AttemptLimit | None], **facts: str | int | None
) -> Iterator[dict[str, str | int | None]]:
    """Count a guess before it is compared, and refund it if it was right.

    The body compares, and raises ValidationError if the guess is wrong. So does this
    if a limit is reached. The events are `NAME.right`, `NAME.wrong`, `NAME.refused`,
    with these facts and those that the body adds.
    """
    try:
        guess = reserve(*limits)
    except LimitReached as refusal:
        audit.record(f"{name}.refused", limit=refusal.limit, **facts)
        raise ValidationError(str(refusal), code="throttled") from None
    try:
        yield facts
    except ValidationError:
        audit.record(f"{name}.wrong", **facts)
        raise
    guess.refund()
    audit.record(f"{name}.right", **facts)


def password_limits(
    request: HttpRequest, number: PhoneNumber | None
) -> list[AttemptLimit | None]:
    address = client_address(request)
    limits = [attempt("password_guesses_per_address", address)]
    if number:
        subject = f"{number.pseudonym} {network_of(address)}"
        own = attempt("password_guesses_per_phone_and_network", subject)
        by_all = attempt("password_guesses_per_phone", number.pseudonym)
        limits += [own, unless_fresh(by_all, own)]
    return limits


def second_factor_limits(number: PhoneNumber) -> list[AttemptLimit | None]:
    """Only who knows the password guesses here, so addresses need no limit."""
    return [attempt("second_factor_guesses_per_phone", number.pseudonym)]


def address_of(request: HttpRequest) -> str:
    """The client's address, as the audit trail names it."""
    return keyed_address(client_address(request))
