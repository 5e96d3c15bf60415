"""The limits of a person's number and account, as support staff see and clear them.

`unlock` leaves those that stop guessing: at codes (a month), and at the passwords and
second-step codes of staff (a day). `reset_guesses` clears these. It is for superusers,
because an attacker gets the same guesses again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.monitoring import audit
from limits.budgets import LimitUse, clear, usage_by_limit
from limits.slots import SERVICE
from users.login import codes
from users.login import takeover_risk as risk
from users.login.code_length import ALL, length_of_next_code
from users.login.resend_wait import Asker, clear_waits, seconds_until_resend
from users.models import User
from users.phones import PhoneNumber

LABELS = {
    "sends_per_phone_hour": _("Codes sent to new devices, in an hour"),
    "sends_per_phone_day": _("Codes sent to new devices, in a day"),
    "sends_per_known_devices": _("Codes sent to known devices"),
    "guesses_per_phone_day": _("Wrong codes from new devices, in a day"),
    "activation_failures_per_user": _("Invite codes refused"),
    "lookups_per_user": _("Look-ups of invite codes"),
    "profile_edits_per_user": _("Changes to the profile"),
    "data_exports_per_user": _("Downloads of their own data"),
    "email_links_per_user": _("Links to confirm the e-mail"),
    "invite_notices_per_user": _("E-mails about activations"),
    "guesses_per_phone_month": _("Wrong codes from new devices, in a month"),
    "guesses_per_known_devices": _("Wrong codes from known devices"),
    "password_guesses_per_phone": _("Wrong passwords at this site"),
    "second_factor_guesses_per_phone": _("Wrong codes after the password"),
}
OF_NUMBER = (
    "sends_per_phone_hour",
    "sends_per_phone_day",
    "sends_per_known_devices",
    "guesses_per_phone_day",
)
# A first sign-in may be refused and its row rolled back, so these count by number.
OF_USERNAME = ("activation_failures_per_user", "lookups_per_user")
OF_ACCOUNT = (
    "profile_edits_per_user",
    "data_exports_per_user",
    "email_links_per_user",
    "invite_notices_per_user",
)
GUESSING = (
    "guesses_per_phone_month",
    "guesses_per_known_devices",
    "password_guesses_per_phone",
    "second_factor_guesses_per_phone",
)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a limit is used.

    `resets_at`: when the oldest attempt no longer counts.
    """

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
    """What a person's number can do now. Does not show the code."""

    usages: list[Usage]
    code_length: int  # of the next code
    living_code: codes.LoginCode | None
    resend_in: int  # seconds, for a new device
    resend_in_known: int  # seconds, for a device that has signed in on the number

    @property
    def living_code_until(self) -> datetime | None:
        code = self.living_code
        return datetime.fromtimestamp(code.expires_at, UTC) if code else None

    @property
    def used_up(self) -> list[Usage]:
        return [usage for usage in self.usages if usage.is_used_up]


def login_state(user: User) -> LoginState:
    number = PhoneNumber(user.phone_number)
    return _state(number, _cleared_by_unlock(user) | _guessing_subjects(number))


def login_state_of_number(number: PhoneNumber) -> LoginState:
    """Of a number without an account."""
    return _state(number, _subjects_of_number(number) | _guessing_subjects(number))


def _state(number: PhoneNumber, subjects: dict[str, str]) -> LoginState:
    code = codes.find(number)
    used = usage_by_limit(subjects | {ALL: SERVICE})
    return LoginState(
        usages=[_usage(name, used[name]) for name in subjects if name in used],
        code_length=length_of_next_code(
            {name: use.attempts for name, use in used.items()}
        ),
        living_code=code if code and code.is_alive() else None,
        resend_in=seconds_until_resend(number, Asker.STRANGER),
        resend_in_known=seconds_until_resend(number, Asker.KNOWN_DEVICE),
    )


def unlock(user: User, *, by: User) -> None:
    """Clear the limits of the number and the account, except those on guessing."""
    number = PhoneNumber(user.phone_number)
    _clear(number, _cleared_by_unlock(user))
    _record("limits.cleared", number, by, user=user.pk)


def unlock_number(number: PhoneNumber, *, by: User) -> None:
    """As `unlock`, for a number without an account."""
    _clear(number, _subjects_of_number(number))
    _record("limits.cleared", number, by)


def _clear(number: PhoneNumber, subjects: dict[str, str]) -> None:
    for name, subject in subjects.items():
        clear(name, subject)
    clear_waits(number)


def reset_guesses(user: User, *, by: User) -> None:
    """Forget the number's wrong guesses. An attacker may start again as well."""
    number = PhoneNumber(user.phone_number)
    for name, subject in _guessing_subjects(number).items():
        clear(name, subject)
    _record("guesses.reset", number, by, user=user.pk)


def chance_after_reset() -> float:
    """The chance of a takeover by an attacker who uses all guesses of a reset."""
    return sum(stage.chance for stage in risk.stages_of_number())


def _cleared_by_unlock(user: User) -> dict[str, str]:
    """Names of limits, and whose attempts each counts."""
    of_number = _subjects_of_number(PhoneNumber(user.phone_number))
    return of_number | dict.fromkeys(OF_ACCOUNT, str(user.pk))


def _subjects_of_number(number: PhoneNumber) -> dict[str, str]:
    """Limits that count by the number, hashed or as the user name."""
    return dict.fromkeys(OF_NUMBER, number.pseudonym) | dict.fromkeys(
        OF_USERNAME, str(number)
    )


def _guessing_subjects(number: PhoneNumber) -> dict[str, str]:
    return dict.fromkeys(GUESSING, number.pseudonym)


def _usage(name: str, use: LimitUse) -> Usage:
    return Usage(
        name=name,
        used=use.attempts,
        count=use.limit,
        resets_at=timezone.now() + timedelta(seconds=use.seconds_until_fewer),
        is_cleared_by_unlock=name not in GUESSING,
    )


def _record(event: str, number: PhoneNumber, by: User, **facts: int) -> None:
    audit.record(event, **facts, phone=number.masked, by=by.pk)
