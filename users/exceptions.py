from django.utils.translation import gettext_lazy as _
from rest_framework import status

from config.refusals import Refusal


class PhoneNumberInvalid(Refusal):
    default_code = "phone_number_invalid"
    default_detail = _("This is not a phone number. Write it with the country code.")
    attr = "phone_number"


class PhoneNumberTaken(Refusal):
    """Said only to someone who has proved by a code that the number is theirs."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "phone_number_taken"
    default_detail = _("There is an account with this number already.")
    attr = "phone_number"
