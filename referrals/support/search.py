"""Finds a person by user name (here, a phone number) or invite code."""

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q

from referrals.invite_codes import normalize_invite_code
from referrals.models import ReplacedInviteCode


def person_named(text: str) -> Q | None:
    """A filter of the user model. None if the text can be neither."""
    text = text.strip()
    found = Q()
    if code := normalize_invite_code(text):
        found |= Q(invite_code=code)
        # Asked first: a join would make the database read all rows.
        replaced = ReplacedInviteCode.objects.filter(code=code)
        if owner := replaced.values_list("owner_id", flat=True).first():
            found |= Q(pk=owner)
    users = get_user_model()
    column = users._meta.get_field(users.USERNAME_FIELD)
    try:
        # The user model's own field knows in which spellings its names are entered.
        username = column.clean(text, None)  # type: ignore[union-attr]  # a column
    except ValidationError:
        pass
    else:
        found |= Q(**{column.name: username})
    return found or None
