from collections.abc import Mapping
from typing import ClassVar

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.refusals import LimitReached, NotAllowed, Refusal, Text


class CodeIncorrect(Refusal):
    code = "code_incorrect"
    attr = "code"
    fact_texts: ClassVar[Mapping[str, Text]] = {
        "attempts_left": _("Attempts that this client has left for this code."),
    }

    def __init__(self, *, attempts_left: int, blocked_for: int = 0) -> None:
        """`blocked_for`: seconds until this client has guesses again."""
        self.attempts_left = attempts_left
        self.blocked_for = blocked_for
        super().__init__()
        if attempts_left:
            self.text = ngettext(
                "The code is wrong. %(number)d attempt left.",
                "The code is wrong. %(number)d attempts left.",
                attempts_left,
            ) % {"number": attempts_left}
        else:
            self.text = gettext("The code is wrong, and this was the last attempt.")

    @property
    def facts(self) -> dict[str, int | str]:
        return {"attempts_left": self.attempts_left}

    @classmethod
    def sample(cls) -> Refusal:
        return cls(attempts_left=4)


class GuessesUsedUp(LimitReached):
    """This client has no guesses left at this code. Other clients have their own."""

    text = _(
        "Too many wrong codes. Try again later. If the code has expired by then, ask "
        "for a new one."
    )

    def __init__(self, *, wait: int) -> None:
        super().__init__(limit="guesses_per_code", wait=wait)

    @classmethod
    def sample(cls) -> Refusal:
        return cls(wait=180)


def blocked_seconds(refusal: Refusal) -> int:
    """Seconds until this client has guesses at its code again. 0: it has some left."""
    if isinstance(refusal, GuessesUsedUp):
        return refusal.retry_after
    return refusal.blocked_for if isinstance(refusal, CodeIncorrect) else 0


class CodeExpired(Refusal):
    """One answer for a code that expired, was used, or was never asked for.

    `is_too_short`: it lives, but wrong guesses have made the number's codes longer.
    `is_replaced`: another one has replaced it before it expired.
    """

    code = "code_expired"
    text: Text = _("The code is no longer valid. Ask for a new one.")
    attr = "code"

    def __init__(
        self, *, is_too_short: bool = False, is_replaced: bool = False
    ) -> None:
        super().__init__()
        self.is_too_short = is_too_short
        self.is_replaced = is_replaced
        if is_replaced:
            self.text = _(
                "This code has been replaced by a newer one. Enter the newer one. If "
                "it does not come, ask again."
            )


class ResendTooSoon(LimitReached):
    text = _("A code was sent a moment ago. Wait before asking again.")
    limit_name = "code_resend"

    def __init__(self, *, wait: int) -> None:
        super().__init__(limit=self.limit_name, wait=wait)

    @classmethod
    def sample(cls) -> Refusal:
        return cls(wait=42)


class AccountInactive(NotAllowed):
    """Answered only after a code has proved that the number is theirs."""

    code = "account_inactive"
    text = _("This account is closed. Contact support.")
