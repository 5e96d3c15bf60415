from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from rest_framework import status

from config.refusals import LimitReached, Refusal


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


class ResendTooSoon(LimitReached):
    default_detail = _("A code was sent a moment ago. Wait before asking again.")
    limit_name = "code_resend"

    def __init__(self, *, wait: int) -> None:
        super().__init__(limit=self.limit_name, wait=wait)

    @classmethod
    def sample(cls) -> Refusal:
        return cls(wait=42)


class AccountInactive(Refusal):
    """Said only to someone who has proved by a code that the number is theirs."""

    status_code = status.HTTP_403_FORBIDDEN
    default_code = "account_inactive"
    default_detail = _("This account is closed. Contact support.")
