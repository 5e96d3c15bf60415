from django.utils.translation import gettext_lazy as _

from config.refusals import NotAllowed, Refusal


class StaffOnly(NotAllowed):
    code = "staff_only"
    text = _("This is for staff, with a token from `manage.py staff_token`.")


class SinceUnknown(Refusal):
    """After a backup was restored, for example."""

    code = "since_unknown"
    text = _("The ledger has no such position. Read it again from 0.")
    attr = "since"
