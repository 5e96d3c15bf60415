"""Staff's changes to the invite ledger: each adds a row and can be reverted.

The form sends what it showed. If that has changed since, nothing is changed.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from config.monitoring import audit
from referrals.exceptions import (
    CorrectionChangesNothing,
    CorrectionOfOnesOwn,
    CorrectionOutdated,
    CorrectionToOneself,
)
from referrals.ledger import record_correction
from referrals.models import Correction, Referral


@dataclass(frozen=True, slots=True)
class Standing:
    """Whose invitation counts for a person.

    Nobody's: neither inviter nor code. A code alone: its owner's account was deleted.
    """

    inviter_id: int | None = None
    code: str = ""
    activated_at: datetime | None = None

    @property
    def seen(self) -> str:
        """A text for a hidden field of the form."""
        return f"{self.inviter_id or ''}:{self.code}"


def standing(invitee_id: int) -> Standing:
    referral = Referral.objects.filter(invitee_id=invitee_id).first()
    return _standing(referral)


def correct_inviter(
    *,
    invitee: AbstractBaseUser,
    inviter: AbstractBaseUser | None,
    seen: str,
    reason: str,
    by: AbstractBaseUser,
) -> Correction:
    """Credit `invitee` to `inviter`, or to nobody. A referral keeps its date.

    `seen` is the text of the Standing that the form showed. Raises
    CorrectionToOneself, CorrectionOfOnesOwn, CorrectionChangesNothing and
    CorrectionOutdated; PermissionDenied, if one of the people is staff and `by` is no
    superuser.
    """
    if inviter and inviter.pk == invitee.pk:
        raise CorrectionToOneself
    code: str = inviter.invite_code if inviter else ""  # type: ignore[attr-defined]  # InviteCodeOwner
    to = Standing(inviter.pk if inviter else None, code)
    return _correct(
        invitee.pk, to, seen=seen, reason=reason, by=by, type="referral.corrected"
    )


def revert_correction(
    correction: Correction, *, reason: str, by: AbstractBaseUser
) -> Correction:
    """Restore what was there before the correction, by another correction.

    Raises CorrectionOutdated when something has changed since, and else as
    `correct_inviter`.
    """
    before = Standing(
        correction.before_id, correction.code_before, correction.activated_before
    )
    after = Standing(correction.after_id, correction.code_after)
    return _correct(
        correction.invitee_id,
        before,
        seen=after.seen,
        reason=reason,
        by=by,
        type="referral.reverted",
    )


def may_act_on(*people: int | None, by: AbstractBaseUser) -> bool:
    """Only a superuser corrects what concerns an account of staff."""
    if by.is_superuser:  # type: ignore[attr-defined]  # PermissionsMixin
        return True
    of_staff = Q(is_staff=True) | Q(is_superuser=True)
    found = get_user_model()._default_manager.filter(
        of_staff, pk__in=[pk for pk in people if pk]
    )
    return not found.exists()


def _correct(
    invitee_id: int,
    to: Standing,
    *,
    seen: str,
    reason: str,
    by: AbstractBaseUser,
    type: str,
) -> Correction:
    try:
        with transaction.atomic():
            correction = _correct_locked(
                invitee_id, to, seen=seen, reason=reason, by=by
            )
            record_correction(correction, type=type)
            return correction
    except IntegrityError:  # somebody activated a code or was deleted at this moment
        raise CorrectionOutdated from None


def _correct_locked(
    invitee_id: int, to: Standing, *, seen: str, reason: str, by: AbstractBaseUser
) -> Correction:
    referrals = Referral.objects.select_for_update()
    referral = referrals.filter(invitee_id=invitee_id).first()
    now = _standing(referral)
    if not may_act_on(invitee_id, now.inviter_id, to.inviter_id, by=by):
        raise PermissionDenied
    if by.pk in {invitee_id, now.inviter_id, to.inviter_id}:
        raise CorrectionOfOnesOwn
    if now.seen != seen:
        raise CorrectionOutdated
    if now.seen == to.seen:
        raise CorrectionChangesNothing
    if not to.code:
        Referral.objects.filter(invitee_id=invitee_id).delete()
    elif referral is None:
        Referral.objects.create(
            invitee_id=invitee_id,
            inviter_id=to.inviter_id,
            code_used=to.code,
            created_at=to.activated_at or timezone.now(),
        )
    else:
        referral.inviter_id, referral.code_used = to.inviter_id, to.code
        referral.save(update_fields=["inviter", "code_used"])
    correction = Correction.objects.create(
        invitee_id=invitee_id,
        before_id=now.inviter_id,
        code_before=now.code,
        activated_before=now.activated_at,
        after_id=to.inviter_id,
        code_after=to.code,
        reason=reason,
        by_id=by.pk,
    )
    transaction.on_commit(partial(_announce, correction))
    return correction


def _announce(correction: Correction) -> None:
    audit.record(
        "inviter.corrected",
        user=correction.invitee_id,
        before=correction.before_id,
        after=correction.after_id,
        correction=correction.pk,
        by=correction.by_id,
    )


def _standing(referral: Referral | None) -> Standing:
    if referral is None:
        return Standing()
    return Standing(referral.inviter_id, referral.code_used, referral.created_at)
