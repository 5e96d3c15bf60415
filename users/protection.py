"""Who may delete, close or move an account of staff.

A sign-in code proves only that somebody holds the phone. A thief of it must not be able
to remove a superuser.
"""

from users.exceptions import StaffAccountProtected
from users.models import User


def may_change(account: User, *, by: User | None) -> bool:
    """`by` is who acts on the admin site. None: the owner, on the site or in an app."""
    is_of_staff = account.is_staff or account.is_superuser
    return not is_of_staff or (by is not None and by.is_superuser)


def protect_staff(account: User, *, by: User | None) -> None:
    """Raises StaffAccountProtected."""
    if not may_change(account, by=by):
        raise StaffAccountProtected
