from dataclasses import dataclass

from django.db import transaction

from config.monitoring import audit
from config.refusals import NotSignedIn
from limits.budgets import attempt, reserve
from referrals.ledger import person_key, record_deletion
from referrals.pagination import FirstReferrals
from users.devices.services import sign_out_everywhere
from users.mail.services import handle_changed_email
from users.models import User
from users.protection import protect_staff
from users.terms.services import Terms


@dataclass(frozen=True, slots=True)
class Profile:
    user: User
    referrals: FirstReferrals
    terms: Terms | None = None
    email_link_sent: bool | None = None  # what `update_profile` returned


def update_profile(user: User, **changes: str) -> bool | None:
    """Change first_name, last_name or email. Raises LimitReached.

    With EMAIL_NOTICES, a link that confirms it is sent to a new e-mail. Returns whether
    it was sent, or None if there is nothing to confirm.
    """
    reserve(attempt("profile_edits_per_user", str(user.pk)))
    email_before = user.email
    if changes and not User.objects.filter(pk=user.pk).update(**changes):
        raise NotSignedIn  # the account was deleted since
    for name, value in changes.items():
        setattr(user, name, value)
    if user.email == email_before:
        return None
    return handle_changed_email(user, before=email_before)


def close_account(user: User, *, by: User | None = None) -> None:
    """Sign out everywhere. Devices stay signed out if the account is reopened.

    `by` is the staff member who does it, if it is not the owner. Raises
    StaffAccountProtected.
    """
    with transaction.atomic():
        _protect_locked(user, by)
        User.objects.filter(pk=user.pk).update(is_active=False)
        sign_out_everywhere(user)
    audit.record("account.closed", user=user.pk, **_author(by))


def delete_account(user: User, *, by: User | None = None) -> None:
    """Delete the account, its devices and its invite code, for good.

    The number can be used for a new account. People whom the user invited keep the
    activated code, without an inviter. `by` is the staff member who does it, if it is
    not the owner. Raises StaffAccountProtected.
    """
    pk = user.pk
    with transaction.atomic():
        # Locked, so that nobody activates the code at the same time.
        locked = _protect_locked(user, by)
        if locked is None:
            return  # another request was faster
        record_deletion(
            user_id=pk,
            user_key=person_key(locked.phone_number),
            invite_code=locked.invite_code,
        )
        user.delete()
    audit.record("account.deleted", user=pk, **_author(by))


def _protect_locked(user: User, by: User | None) -> User | None:
    """Decide by the row, which may have become one of staff since it was read."""
    locked = User.objects.select_for_update().filter(pk=user.pk).first()
    protect_staff(locked or user, by=by)
    return locked


def _author(by: User | None) -> dict[str, int]:
    return {"by": by.pk} if by else {}
