"""Explains in words why an invitation was not credited."""

from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.translation import gettext as _

from limits.budgets import used
from referrals.models import Correction, Referral


def explain(
    invitee: AbstractBaseUser | None, inviter: AbstractBaseUser | None
) -> list[str]:
    """Sentences, the decisive one first. None: there is no such account.

    The people come with `select_related("activation__inviter")`.
    """
    if invitee is None or inviter is None:
        return list(_missing(invitee, inviter))
    if invitee.pk == inviter.pk:
        return [_("Both numbers are the same person. People cannot invite themselves.")]
    return [
        *_activation(getattr(invitee, "activation", None), inviter),
        *_accounts(invitee, inviter),
        *_corrections(invitee),
    ]


def _missing(
    invitee: AbstractBaseUser | None, inviter: AbstractBaseUser | None
) -> Iterator[str]:
    if invitee is None:
        yield _(
            "There is no account with the invited person's number: they have not "
            "signed in with it, or have deleted the account. Ask whether they "
            "used another number."
        )
    if inviter is None:
        yield _(
            "There is no account with the inviter's number: they have not signed in "
            "with it, or have deleted the account."
        )


def _activation(
    activation: Referral | None, inviter: AbstractBaseUser
) -> Iterator[str]:
    if activation is None:
        yield _(
            "The invited person has not activated an invite code. Opening a link is "
            "not enough: they must accept the invitation and sign in with the same "
            "browser, or enter the code in their profile. They can still do this."
        )
        return
    if activation.inviter_id == inviter.pk:
        text = _("The inviter is credited: code %(code)s, activated %(when)s.")
    elif activation.inviter is None:
        text = _(
            "The invited person activated the code %(code)s on %(when)s; it belonged "
            "to a deleted account. A person can activate only one code."
        )
    else:
        text = _(
            "The invited person activated the code %(code)s of %(whose)s on "
            "%(when)s. A person can activate only one code."
        )
    yield text % {
        "code": activation.code_used,
        "when": _moment(activation.created_at),
        "whose": activation.inviter and activation.inviter.get_username(),
    }


def _accounts(invitee: AbstractBaseUser, inviter: AbstractBaseUser) -> Iterator[str]:
    if not inviter.is_active:
        yield _("The inviter's account is closed: their code is not accepted.")
    if not invitee.is_active:
        yield _("The invited person's account is closed: they cannot sign in.")
    if order := _order(_joined(invitee), _joined(inviter)):
        yield order
    if failures := used("activation_failures_per_user", invitee.get_username()):
        yield _(
            "Invite codes that this person entered and that were refused recently: "
            "%(number)s."
        ) % {"number": failures}


def _order(came: datetime | None, was_there: datetime | None) -> str | None:
    if came is None or was_there is None:
        return None
    if came < was_there:
        text = _(
            "The invited person joined before the inviter (%(invitee)s, %(inviter)s), "
            "so they cannot have joined through the inviter's link."
        )
    else:
        text = _(
            "The invited person joined after the inviter (%(invitee)s, %(inviter)s)."
        )
    return text % {"invitee": _moment(came), "inviter": _moment(was_there)}


def _corrections(invitee: AbstractBaseUser) -> Iterator[str]:
    corrections = Correction.objects.filter(invitee_id=invitee.pk)
    for correction in corrections.order_by("-pk")[:5]:
        yield _("Corrected on %(when)s from %(before)s to %(after)s: %(reason)s") % {
            "when": _moment(correction.created_at),
            "before": correction.code_before or "–",
            "after": correction.code_after or "–",
            "reason": correction.reason,
        }


def _joined(user: AbstractBaseUser) -> datetime | None:
    """A field that other user models may lack."""
    joined: datetime | None = getattr(user, "date_joined", None)
    return joined


def _moment(moment: datetime) -> str:
    return format_date(timezone.localtime(moment), "Y-m-d H:i")
