"""The account that a sign-in opens, locked until its transaction ends."""

from uuid import uuid4

from django.db import IntegrityError
from django.utils import timezone

from referrals.models import Referral
from users.fixed_queries import FixedQuery, with_activation
from users.models import User
from users.phones import PhoneNumber

ACCOUNT = FixedQuery(
    (User, Referral),
    """
    FROM users_user
    LEFT JOIN referrals_referral ON referrals_referral.invitee_id = users_user.id
    WHERE users_user.phone_number = %s
    """,
)


def lock_or_create(phone_number: PhoneNumber) -> tuple[User, bool]:
    """The account of the number with a new last_login, and whether it is new."""
    if user := _lock(phone_number):
        return user, False
    try:
        return User.objects.create_user(phone_number, last_login=timezone.now()), True
    except IntegrityError:  # another first sign-in on this number was faster
        if user := _lock(phone_number):
            return user, False
        raise


def _lock(phone_number: PhoneNumber) -> User | None:
    # PostgreSQL locks the row FOR NO KEY UPDATE: nobody can delete the account
    # meanwhile, but rows may refer to it. Otherwise two people who activate each
    # other's invite codes would deadlock.
    accounts = User.objects.filter(phone_number=phone_number)
    if not accounts.update(last_login=timezone.now()):
        return None
    found = ACCOUNT.first([phone_number], using=accounts.db)
    if found is None:
        return None
    user = with_activation(*found)
    if user.known_devices_key is None:  # created before accounts had this key
        user.known_devices_key = uuid4()
        user.save(update_fields=["known_devices_key"])
    return user
