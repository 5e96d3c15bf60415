from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from rest_framework import status

from config.exceptions import LimitReached, Refusal


class CountryNotServed(Refusal):
    """Says nothing of the number but its country."""

    default_code = "country_not_served"
    default_detail = _("We do not send SMS to this country.")
    attr = "phone_number"


class PhoneNumberInvalid(Refusal):
    default_code = "phone_number_invalid"
    default_detail = _("This is not a phone number. Write it with the country code.")
    attr = "phone_number"


class CodeIncorrect(Refusal):
    default_code = "code_incorrect"
    attr = "code"

    def __init__(self, *, attempts_left: int) -> None:
        self.attempts_left = attempts_left
        if attempts_left:
            detail = ngettext(
                "The code is wrong. %(number)d attempt left.",
                "The code is wrong. %(number)d attempts left.",
                attempts_left,
            ) % {"number": attempts_left}
        else:
            detail = gettext("The code is wrong, and this was the last attempt.")
        super().__init__(detail)

    @property
    def extras(self) -> dict[str, int | str]:
        return {"attempts_left": self.attempts_left}

    @classmethod
    def sample(cls) -> Refusal:
        return cls(attempts_left=4)


class GuessesUsedUp(LimitReached):
    """This client's guesses at the living code; others still have theirs."""

    default_detail = _("Too many wrong codes. Ask for a new code when this one ends.")

    def __init__(self, *, wait: int) -> None:
        super().__init__(limit="guesses_per_code", wait=wait)

    @classmethod
    def sample(cls) -> Refusal:
        return cls(wait=180)


class CodeExpired(Refusal):
    """Expired, used, guessed at too often or never asked for: one answer to all."""

    default_code = "code_expired"
    default_detail = _("The code is no longer valid. Ask for a new one.")
    attr = "code"


class OldCodeIncorrect(CodeIncorrect):
    attr = "old_code"


class NewCodeIncorrect(CodeIncorrect):
    attr = "new_code"


class OldCodeExpired(CodeExpired):
    attr = "old_code"


class NewCodeExpired(CodeExpired):
    attr = "new_code"


class PhoneNumberUnchanged(Refusal):
    default_code = "phone_number_unchanged"
    default_detail = _("This is your number already.")
    attr = "phone_number"


class PhoneNumberTaken(Refusal):
    """Said only to someone who has proved by a code that the number is theirs."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "phone_number_taken"
    default_detail = _("There is an account with this number already.")
    attr = "phone_number"


class ResendTooSoon(LimitReached):
    default_detail = _("A code was sent a moment ago. Wait before asking again.")
    limit_name = "code_resend"

    def __init__(self, *, wait: int) -> None:
        super().__init__(limit=self.limit_name, wait=wait)

    @classmethod
    def sample(cls) -> Refusal:
        return cls(wait=42)


class SmsUnavailable(Refusal):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "sms_unavailable"
    default_detail = _("The SMS could not be sent. Try again in a moment.")
    wait = 5


class TokenInvalid(Refusal):
    """Forged, expired, used before, of another kind, or of a device signed out."""

    status_code = status.HTTP_401_UNAUTHORIZED
    default_code = "token_invalid"
    default_detail = _("The token is not valid. Sign in again.")
    auth_header = 'Bearer realm="api"'  # DRF makes it WWW-Authenticate


class StaffOnly(Refusal):
    status_code = status.HTTP_403_FORBIDDEN
    default_code = "staff_only"
    default_detail = _("This is for staff, with a token from `manage.py staff_token`.")


class SmsUnsure(SmsUnavailable):
    """The provider may have accepted it, or may not: nobody knows yet."""

    default_detail = _(
        "It is not certain that the SMS was sent. If it comes, use its code; if not, "
        "ask again a little later."
    )

    def __init__(self, *, by: str = "", wait: int = 60, is_new: bool = True) -> None:
        super().__init__()
        self.by = by  # dotted path of the backend
        self.wait = wait
        self.is_new = is_new  # by an attempt that this request made


class AccountInactive(Refusal):
    """Said only to someone who has proved by a code that the number is theirs."""

    status_code = status.HTTP_403_FORBIDDEN
    default_code = "account_inactive"
    default_detail = _("This account is closed. Contact support.")
