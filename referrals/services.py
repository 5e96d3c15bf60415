"""All writes to the invite ledger, except corrections by staff."""

from functools import partial

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils.crypto import salted_hmac

from config.monitoring import audit
from limits.budgets import Reservation, attempt, reserve
from referrals.exceptions import (
    InviteCodeAlreadyActivated,
    InviteCodeOwn,
    InviteCodeUnknown,
)
from referrals.models import Referral
from webhooks.services import record_event


def find_inviter(code: str) -> AbstractBaseUser:
    """The active owner of a normalised invite code. Raises InviteCodeUnknown."""
    users = get_user_model()._default_manager
    inviter = users.filter(invite_code=code, is_active=True).first()
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
    *, invitee: AbstractBaseUser, code: str, address: str
) -> Referral:
    """Record that `invitee` was invited by the owner of `code` (normalised).

    The same code again returns the same referral. If several codes are activated at
    once, the primary key lets one of them succeed. Raises InviteCodeUnknown,
    InviteCodeOwn, InviteCodeAlreadyActivated and, after many failures, LimitReached.
    """
    look_up = _count_look_up(address, invitee.get_username(), is_activation=True)
    try:
        referral = _activate(invitee, code)
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


def _activate(invitee: AbstractBaseUser, code: str) -> Referral:
    if standing := _standing(invitee, code):
        return standing
    inviter = find_inviter(code)
    if inviter.pk == invitee.pk:
        raise InviteCodeOwn
    try:
        with transaction.atomic():
            referral = Referral.objects.create(
                invitee_id=invitee.pk, inviter_id=inviter.pk, code_used=code
            )
            _judge_foreign_keys()
            _tell_other_systems(referral, invitee)
    except IntegrityError:
        if standing := _standing(invitee, code):
            return standing
        raise InviteCodeUnknown from None  # one of the two was deleted since
    transaction.on_commit(partial(_announce, referral))
    return referral


def _announce(referral: Referral) -> None:
    audit.record(
        "invite_code.activated",
        user=referral.invitee_id,
        inviter=referral.inviter_id,
    )


def _tell_other_systems(referral: Referral, invitee: AbstractBaseUser) -> None:
    # The same key if the account is deleted and the number signs up again, and after
    # SECRET_KEY has changed: a system that pays for an invitation must not pay twice.
    secret = settings.INVITEE_KEY_SECRET or None  # None: SECRET_KEY
    number = invitee.get_username()
    name = salted_hmac("referrals.invitee", number, secret, algorithm="sha256")
    record_event(
        type="referral.activated",
        data={
            "invitee_id": referral.invitee_id,
            "invitee_key": name.hexdigest(),
            "inviter_id": referral.inviter_id,
            "invite_code": referral.code_used,
            "activated_at": referral.created_at.isoformat(),
        },
    )


def _judge_foreign_keys() -> None:
    """Check them now: at the commit, a login code may have been spent already.

    This also keeps the inviter from being deleted before the commit. SQLite has one
    writer anyway.
    """
    if connection.vendor == "postgresql":
        connection.check_constraints()


def _standing(invitee: AbstractBaseUser, code: str) -> Referral | None:
    standing = Referral.objects.filter(invitee_id=invitee.pk).first()
    if standing and standing.code_used != code:
        raise InviteCodeAlreadyActivated
    return standing
