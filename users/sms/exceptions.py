from django.utils.translation import gettext_lazy as _

from config.refusals import Refusal, Unavailable


class CountryNotServed(Refusal):
    """Says nothing of the number but its country."""

    code = "country_not_served"
    text = _("We do not send SMS to this country.")
    attr = "phone_number"


class NumberCannotReceiveSms(Refusal):
    """Says nothing of the number but its kind, which is public."""

    code = "number_cannot_receive_sms"
    text = _("This number cannot receive SMS. Enter a mobile number.")
    attr = "phone_number"


class SmsUnavailable(Unavailable):
    code = "sms_unavailable"
    text = _("The SMS could not be sent. Try again in a moment.")


class SmsUnsure(SmsUnavailable):
    """The provider may have accepted it, or may not: nobody knows yet."""

    text = _(
        "It is not certain that the SMS was sent. If it comes, use its code; if not, "
        "ask again a little later."
    )

    def __init__(self, *, by: str = "", wait: int = 60, is_new: bool = True) -> None:
        super().__init__()
        self.by = by  # dotted path of the backend
        self.wait = wait
        self.is_new = is_new  # by an attempt that this request made
