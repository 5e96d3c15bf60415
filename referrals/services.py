"""All writes to the invite ledger, except corrections by staff."""

from collections.abc import Callable
from functools import partial

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import DatabaseError, IntegrityError, connection, transaction

from config.after_commit import after_commit
from config.monitoring import audit
from limits.budgets import Reservation, attempt, reserve
from referrals.came_by import CameBy
from referrals.exceptions import (
    InviteCodeAlreadyActivated,
    InviteCodeOwn,
    InviteCodeUnknown,
)
from referrals.ledger import record_activation
from referrals.models import Referral

# Each is called with a new referral, after the commit. Apps add theirs in `ready()`.
after_activation: list[Callable[[Referral], None]] = []


def find_inviter(code: str) -> AbstractBaseUser:
    """The active owner of a normalised invite code. Raises InviteCodeUnknown.

    Also finds the owner of a code that staff replaced, if the old one still works.
    """
    users = get_user_model()._default_manager.filter(is_active=True)
    inviter = users.filter(invite_code=code).first()
    if inviter is None:
        inviter = users.filter(
            replaced_invite_codes__code=code, replaced_invite_codes__is_honoured=True
        ).first()
    if inviter is None:
        raise InviteCodeUnknown
    return inviter


def look_up_inviter(code: str, *, address: str, username: str = "") -> AbstractBaseUser:
    """`find_inviter`, with limits on how often it is called. Raises LimitReached.

    `username` is that of the person who looks. It is empty for people who have not
    signed in: a name that anybody may claim would let strangers use up its owner's
    limit.
    """
    _count_look_up(address, username)
    return find_inviter(code)


def activate_invite_code(
    *,
    invitee: AbstractBaseUser,
    code: str,
    address: str,
    came_by: CameBy | None = None,
) -> Referral:
    """Record that `invitee` was invited by the owner of `code` (normalised).

    The same code again returns the same referral. If several codes are activated at
    once, the primary key lets one of them succeed. `came_by` is for statistics. Raises
    InviteCodeUnknown, InviteCodeOwn, InviteCodeAlreadyActivated and, after many
    failures, LimitReached.
    """
    look_up = _count_look_up(address, invitee.get_username(), is_activation=True)
    try:
        referral = _activate(invitee, code, came_by)
    except DatabaseError:
        look_up.refund()  # an outage is not the invitee's failure
        raise
    look_up.refund()
    return referral


def _count_look_up(
    address: str, username: str, *, is_activation: bool = False
) -> Reservation:
    """Count one look at an invite code, before the database is asked.

    Each path to an invite code comes through here: otherwise codes would be guessed at
    through the one that does not. A person is counted by name, not by primary key: if a
    first sign-in is refused, its row is rolled back, and the next has another key.
    """
    limits = [attempt("lookups_per_address", address)]
    if username:
        limits.append(attempt("lookups_per_user", username))
    if is_activation:
        limits.append(attempt("activation_failures_per_user", username))
    return reserve(*limits)


def _activate(invitee: AbstractBaseUser, code: str, came_by: CameBy | None) -> Referral:
    if standing := _standing(invitee, code):
        return standing
    inviter = find_inviter(code)
    if inviter.pk == invitee.pk:
        raise InviteCodeOwn
    try:
        with transaction.atomic():
            referral = Referral.objects.create(
                invitee_id=invitee.pk,
                inviter_id=inviter.pk,
                code_used=code,
                came_by=came_by,
            )
            _judge_foreign_keys()
            record_activation(referral)
    except IntegrityError:
        if standing := _standing(invitee, code):
            return standing
        raise InviteCodeUnknown from None  # one of the two was deleted since
    transaction.on_commit(partial(_announce, referral))
    for callback in after_activation:
        after_commit(callback, referral)
    return referral


def _announce(referral: Referral) -> None:
    audit.record(
        "invite_code.activated",
        user=referral.invitee_id,
        inviter=referral.inviter_id,
    )


def _judge_foreign_keys() -> None:
    """Check them now: at the commit, a login code may have been spent already.

    This also keeps both accounts from being deleted, and their numbers from changing,
    before the commit. SQLite has one writer anyway.
    """
    if connection.vendor == "postgresql":
        connection.check_constraints()


def _standing(invitee: AbstractBaseUser, code: str) -> Referral | None:
    standing = Referral.objects.filter(invitee_id=invitee.pk).first()
    if standing and standing.code_used != code:
        raise InviteCodeAlreadyActivated
    return standing
