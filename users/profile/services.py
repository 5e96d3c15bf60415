from dataclasses import dataclass

from django.db import transaction

from config.monitoring import audit
from config.refusals import NotSignedIn
from limits.budgets import attempt, reserve
from referrals.pagination import FirstReferrals
from users.devices.services import sign_out_everywhere
from users.models import User


@dataclass(frozen=True, slots=True)
class Profile:
    user: User
    referrals: FirstReferrals


def update_profile(user: User, **changes: str) -> None:
    """Change first_name, last_name or email. Raises LimitReached."""
    reserve(attempt("profile_edits_per_user", str(user.pk)))
    if changes and not User.objects.filter(pk=user.pk).update(**changes):
        raise NotSignedIn  # the account was deleted since
    for name, value in changes.items():
        setattr(user, name, value)


def close_account(user: User) -> None:
    """Sign out everywhere. Devices stay signed out if the account is reopened."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=False)
        sign_out_everywhere(user)
    audit.record("account.closed", user=user.pk)


def delete_account(user: User) -> None:
    """Delete the account, its devices and its invite code, for good.

    The number can be used for a new account. People whom the user invited keep the
    activated code, without an inviter.
    """
    pk = user.pk
    with transaction.atomic():
        # Locked, so that nobody activates the code at the same time.
        User.objects.select_for_update().filter(pk=pk).first()
        user.delete()
    audit.record("account.deleted", user=pk)
