from django.utils.translation import gettext_lazy as _

from config.refusals import Conflict, NotAllowed, Refusal


class PhoneNumberInvalid(Refusal):
    code = "phone_number_invalid"
    text = _("This is not a phone number. Write it with the country code.")
    attr = "phone_number"


class PhoneNumberTaken(Conflict):
    """Answered only after a code has proved that the number is theirs."""

    code = "phone_number_taken"
    text = _("There is an account with this number already.")
    attr = "phone_number"


class StaffAccountProtected(NotAllowed):
    code = "staff_account_protected"
    text = _("This is an account of staff. Only a superuser can do this, at /admin/.")
