from django.utils.translation import gettext_lazy as _

from config.refusals import Conflict, NotAllowed, Refusal


class PhoneNumberInvalid(Refusal):
    code = "phone_number_invalid"
    text = _("This is not a valid phone number. Include the country code.")
    attr = "phone_number"


class PhoneNumberTaken(Conflict):
    """Answered only after a code has proved that the number is theirs."""

    code = "phone_number_taken"
    text = _("There is already an account with this number.")
    attr = "phone_number"


class StaffAccountProtected(NotAllowed):
    code = "staff_account_protected"
    text = _(
        "This is a staff account. Only a superuser can do this, on the admin site."
    )
