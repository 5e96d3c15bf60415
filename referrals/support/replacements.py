"""Staff give a person a new invite code. The old one goes on working, or does not."""

from functools import partial

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from config.monitoring import audit
from referrals.exceptions import InviteCodeReplacedSince
from referrals.invite_codes import draw_invite_code
from referrals.models import ReplacedInviteCode
from referrals.support.corrections import may_act_on

DRAWS = 5


def replace_invite_code(
    *,
    owner: AbstractBaseUser,
    seen: str,
    is_honoured: bool,
    reason: str,
    by: AbstractBaseUser,
) -> ReplacedInviteCode:
    """Draw a new invite code for `owner`.

    `seen` is the code that the form showed. `is_honoured`: the old code still credits
    the owner; otherwise nobody has it from now on. Referrals stay as they are. Raises
    InviteCodeReplacedSince; PermissionDenied, if the owner is staff and `by` is no
    superuser.
    """
    for draws_left in reversed(range(DRAWS)):
        code = draw_invite_code()
        try:
            with transaction.atomic():
                return _replace(owner.pk, seen, code, is_honoured, reason, by)
        except IntegrityError:  # somebody has the code
            if not draws_left:
                raise
    raise AssertionError("not reached")


def _replace(
    owner_id: int,
    seen: str,
    code: str,
    is_honoured: bool,
    reason: str,
    by: AbstractBaseUser,
) -> ReplacedInviteCode:
    users = get_user_model()._default_manager
    owner = users.select_for_update().filter(pk=owner_id, invite_code=seen).first()
    if owner is None:
        raise InviteCodeReplacedSince
    if not may_act_on(owner_id, by=by):
        raise PermissionDenied
    replaced = ReplacedInviteCode.objects.create(
        code=seen,
        owner_id=owner_id,
        is_honoured=is_honoured,
        reason=reason,
        by_id=by.pk,
    )
    users.filter(pk=owner_id).update(invite_code=code)
    # After the UPDATE, which waits for a replacement of the drawn code.
    if ReplacedInviteCode.is_replaced(code):
        raise IntegrityError("Staff replaced this invite code.")
    transaction.on_commit(partial(_announce, replaced))
    return replaced


def _announce(replaced: ReplacedInviteCode) -> None:
    audit.record(
        "invite_code.replaced",
        user=replaced.owner_id,
        old_code_works=replaced.is_honoured,
        by=replaced.by_id,
    )
