from django.utils.translation import gettext_lazy as _
from rest_framework import status

from config.refusals import Refusal


class StaffOnly(Refusal):
    status_code = status.HTTP_403_FORBIDDEN
    default_code = "staff_only"
    default_detail = _("This is for staff, with a token from `manage.py staff_token`.")
