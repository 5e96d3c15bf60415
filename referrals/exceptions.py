from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from config.refusals import Conflict, NotFound, Refusal


class InviteCodeRefusal(Refusal):
    """Base class: something is wrong with an invite code."""

    attr: ClassVar[str | None] = "invite_code"


class InviteCodeUnknown(InviteCodeRefusal):
    code = "invite_code_unknown"
    text = _("There is no such invite code.")


class InviteCodeNotFound(InviteCodeUnknown, NotFound):
    """The same, where the code is part of the URL."""

    attr = None


class InviteCodeOwn(InviteCodeRefusal):
    code = "invite_code_own"
    text = _("This is your own invite code. Enter another person's.")


class InviteCodeAlreadyActivated(InviteCodeRefusal, Conflict):
    code = "invite_code_already_activated"
    text = _("You have already activated an invite code.")


class CorrectionRefused(Exception):
    """Why an inviter cannot be corrected. Only the admin site shows it."""

    text = _("This correction is not possible.")


class CorrectionToOneself(CorrectionRefused):
    text = _("People cannot invite themselves.")


class CorrectionOfOnesOwn(CorrectionRefused):
    text = _(
        "You are the inviter or the invited person. Another member of staff has to do "
        "this."
    )


class CorrectionChangesNothing(CorrectionRefused):
    text = _("This inviter is already recorded.")


class InviteCodeReplacedSince(CorrectionRefused):
    text = _("The invite code has changed in the meantime. Check again.")


class CorrectionOutdated(CorrectionRefused):
    text = _("The inviter has changed in the meantime. Check again.")
