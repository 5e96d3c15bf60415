"""What support staff may do: look, explain, unlock, sign out, correct an inviter.

No right to change people, so neither to make staff nor to move an account to another
number; none to export. Codes and digests of tokens are on no page at all.
"""

from functools import reduce
from operator import or_

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

GROUP = "Support"
RIGHTS = [
    "users.view_user",
    "users.view_device",
    "users.delete_device",
    "users.unlock_user",
    "users.view_dashboard",
    "referrals.view_referral",
    "referrals.view_correction",
    "referrals.add_correction",
]


def give_rights() -> Group:
    named = (right.split(".") for right in RIGHTS)
    either = reduce(
        or_, (Q(content_type__app_label=app, codename=name) for app, name in named)
    )
    group, _ = Group.objects.get_or_create(name=GROUP)
    group.permissions.set(Permission.objects.filter(either))
    return group
