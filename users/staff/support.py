"""What support staff see and clear of the limits that stand in a person's way.

The month's wrong guesses are another matter: they are what makes a short code safe, and
they lock nobody out at once, for the codes only get longer. So `unlock` leaves them,
and with them the yearly odds, as they are; `reset_guesses` is for superusers, who weigh
an owner who cannot sign in against one more month's chance of a takeover.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.monitoring import audit
from limits.budgets import Claim, clear, used
from users.login import codes
from users.login import guess_limits as guesses
from users.login import takeover_risk as risk
from users.models import User
from users.phones import mask_phone_number

LABELS = {
    "sends_per_phone_hour": _("Codes sent to new devices, in an hour"),
    "sends_per_phone_day": _("Codes sent to new devices, in a day"),
    "sends_per_device": _("Codes sent to a known device"),
    "guesses_per_phone_day": _("Wrong codes from new devices, in a day"),
    "activation_failures_per_user": _("Invite codes refused"),
    "lookups_per_user": _("Look-ups of invite codes"),
    "profile_edits_per_user": _("Changes of the profile"),
    "guesses_per_phone_month": _("Wrong codes from new devices, in a month"),
    "guesses_per_device": _("Wrong codes from known devices"),
    "password_guesses_per_phone": _("Wrong passwords at this site"),
}
OF_NUMBER = (
    "sends_per_phone_hour",
    "sends_per_phone_day",
    "sends_per_device",
    "guesses_per_phone_day",
)
OF_ACCOUNT = (
    "activation_failures_per_user",
    "lookups_per_user",
    "profile_edits_per_user",
)
LASTING = (
    "guesses_per_phone_month",
    "guesses_per_device",
    "password_guesses_per_phone",
)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a limit is used in the window that is open now."""

    name: str
    used: int
    count: int
    resets_at: datetime
    is_cleared_by_unlock: bool

    @property
    def label(self) -> str:
        return str(LABELS[self.name])

    @property
    def is_used_up(self) -> bool:
        return self.used >= self.count


@dataclass(frozen=True, slots=True)
class LoginState:
    """What a person's number can do now; never the code itself."""

    usages: list[Usage]
    code_length: int  # of the next code
    living_code: codes.LoginCode | None
    resend_in: int  # seconds, for a new device
    resend_in_known: int  # seconds, for a device that the number knows

    @property
    def living_code_until(self) -> datetime | None:
        code = self.living_code
        return datetime.fromtimestamp(code.expires_at, UTC) if code else None

    @property
    def used_up(self) -> list[Usage]:
        return [usage for usage in self.usages if usage.is_used_up]


def login_state(user: User) -> LoginState:
    number = user.phone_number
    code = codes.current(number)
    return LoginState(
        usages=[
            usage
            for claim in [*_unlockable(user), *_lasting(number)]
            if (usage := _usage(claim))
        ],
        code_length=guesses.code_length(number),
        living_code=code if code and codes.is_alive(code) else None,
        resend_in=codes.resend_in(number, by_known_device=False),
        resend_in_known=codes.resend_in(number, by_known_device=True),
    )


def unlock(user: User, *, by: User) -> None:
    """Clear all limits of the number and the account that do not outlast a day."""
    for claim in _unlockable(user):
        clear(claim)
    codes.clear_waits(user.phone_number)
    _record("limits.cleared", user, by)


def reset_guesses(user: User, *, by: User) -> None:
    """Forget the number's wrong guesses: an attacker may begin anew as well."""
    for claim in _lasting(user.phone_number):
        clear(claim)
    _record("guesses.reset", user, by)


def chance_after_reset() -> float:
    """Of a takeover, by an attacker who uses all that a reset gives."""
    return sum(stage.chance for stage in risk.stages())


def _unlockable(user: User) -> list[Claim]:
    number, account = user.phone_number, str(user.pk)
    return [
        *(Claim(name, number) for name in OF_NUMBER),
        *(Claim(name, account) for name in OF_ACCOUNT),
    ]


def _lasting(number: str) -> list[Claim]:
    return [Claim(name, number) for name in LASTING]


def _usage(claim: Claim) -> Usage | None:
    """None: the limit is switched off."""
    counter = claim.counter()
    if counter is None:
        return None
    return Usage(
        name=claim.name,
        used=used(claim),
        count=counter.most,
        resets_at=timezone.now() + timedelta(seconds=counter.seconds_left),
        is_cleared_by_unlock=claim.name not in LASTING,
    )


def _record(event: str, user: User, by: User) -> None:
    phone = mask_phone_number(user.phone_number)
    audit.record(event, user=user.pk, phone=phone, by=by.pk)
