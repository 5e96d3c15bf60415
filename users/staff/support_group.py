"""The permissions of support staff: view, explain, unlock, sign out, correct inviters,
replace invite codes.

They cannot change people, so they cannot make staff or move an account to another
number, and they cannot export. No page shows codes or digests of tokens.
"""

from functools import reduce
from operator import or_

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from users.staff.rights import recorded_change

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
    "referrals.add_replacedinvitecode",
]


def give_rights() -> Group:
    named = (right.split(".") for right in RIGHTS)
    either = reduce(
        or_, (Q(content_type__app_label=app, codename=name) for app, name in named)
    )
    group, _ = Group.objects.get_or_create(name=GROUP)
    with recorded_change(group):
        group.permissions.set(Permission.objects.filter(either))
    return group
