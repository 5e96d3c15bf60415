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
    """Change first_name, last_name or email; raises LimitReached."""
    reserve(attempt("profile_edits_per_user", str(user.pk)))
    if changes and not User.objects.filter(pk=user.pk).update(**changes):
        raise NotSignedIn  # the account was deleted meanwhile
    for name, value in changes.items():
        setattr(user, name, value)


def close_account(user: User) -> None:
    """Sign out everywhere and for good: opening it again revives no device."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=False)
        sign_out_everywhere(user)
    audit.record("account.closed", user=user.pk)


def delete_account(user: User) -> None:
    """For good: devices, data and invite code go, and the number is free again.

    People whom the user invited keep the activated code, without an inviter.
    """
    pk = user.pk
    with transaction.atomic():
        # Locked, so that no activation of the code comes in between.
        User.objects.select_for_update().filter(pk=pk).first()
        user.delete()
    audit.record("account.deleted", user=pk)
