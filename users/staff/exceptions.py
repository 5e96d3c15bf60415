from django.utils.translation import gettext_lazy as _

from config.refusals import NotAllowed


class StaffOnly(NotAllowed):
    code = "staff_only"
    text = _("This is for staff, with a token from `manage.py staff_token`.")
