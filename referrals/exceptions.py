from typing import ClassVar

from django.utils.translation import gettext_lazy as _
from rest_framework import status

from config.refusals import Refusal


class InviteCodeRefusal(Refusal):
    """What is wrong with an invite code."""

    attr: ClassVar[str | None] = "invite_code"


class InviteCodeUnknown(InviteCodeRefusal):
    default_code = "invite_code_unknown"
    default_detail = _("There is no such invite code.")


class InviteCodeNotFound(InviteCodeUnknown):
    """The same where the code is the address itself."""

    status_code = status.HTTP_404_NOT_FOUND
    attr = None


class InviteCodeOwn(InviteCodeRefusal):
    default_code = "invite_code_own"
    default_detail = _("This is your own invite code. Enter another person's.")


class InviteCodeAlreadyActivated(InviteCodeRefusal):
    status_code = status.HTTP_409_CONFLICT
    default_code = "invite_code_already_activated"
    default_detail = _("You have already activated an invite code.")


class CorrectionRefused(Exception):
    """Why an inviter cannot be corrected as asked; said by the admin site alone."""

    text = _("The inviter cannot be corrected so.")


class CorrectionToOneself(CorrectionRefused):
    text = _("Nobody invites themselves.")


class CorrectionOfOnesOwn(CorrectionRefused):
    text = _("You are one of the two. Somebody else has to do this.")


class CorrectionChangesNothing(CorrectionRefused):
    text = _("That is so already.")


class CorrectionOutdated(CorrectionRefused):
    text = _("The inviter has changed meanwhile. Look again.")
