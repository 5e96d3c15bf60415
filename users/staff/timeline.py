"""What happened to a number, in words for support staff."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users import number_history
from users.channels import Channel
from users.login.exceptions import ResendTooSoon
from users.number_history import Entry
from users.phones import PhoneNumber
from users.staff import support

SHOWN = 50

CHANNELS = {
    Channel.SMS: gettext_lazy("SMS"),
    Channel.CALL: gettext_lazy("a call"),
    Channel.VOICE: gettext_lazy("a voice call"),
    Channel.TELEGRAM: gettext_lazy("Telegram"),
}
TEXTS = {
    number_history.SENT: gettext_lazy("A code was sent"),
    number_history.DELIVERED: gettext_lazy("The message was delivered"),
    number_history.NOT_DELIVERED: gettext_lazy("The message was not delivered"),
    number_history.NOT_SENT: gettext_lazy("A code could not be sent"),
    number_history.UNSURE: gettext_lazy("It is not known whether the message was sent"),
    number_history.SIGNED_IN: gettext_lazy("Signed in"),
    number_history.SEND_REFUSED: gettext_lazy("A request for a code was refused"),
    number_history.WRONG_CODE: gettext_lazy("A wrong code was entered"),
    number_history.GUESS_REFUSED: gettext_lazy(
        "A code was not checked: too many attempts"
    ),
}
ARRIVALS = {number_history.DELIVERED, number_history.NOT_DELIVERED}


@dataclass(frozen=True, slots=True)
class Step:
    at: datetime
    text: str
    about: str  # the channel or the limit; may be empty
    is_refusal: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    steps: list[Step]  # newest first
    last_code: Step | None
    last_arrival: Step | None  # what is known of the last code's message


def timeline(number: PhoneNumber) -> Timeline:
    entries = number_history.history(number.pseudonym)
    last_code = _newest(entries, {number_history.SENT})
    last_arrival = _newest(entries, ARRIVALS)
    if last_code and last_arrival and last_arrival.at < last_code.at:
        last_arrival = None
    return Timeline(
        steps=[_step(entry) for entry in entries[:SHOWN]],
        last_code=_step(last_code) if last_code else None,
        last_arrival=_step(last_arrival) if last_arrival else None,
    )


def _newest(entries: list[Entry], events: set[str]) -> Entry | None:
    return next((entry for entry in entries if entry.event in events), None)


def _step(entry: Entry) -> Step:
    return Step(
        at=entry.at,
        text=str(TEXTS.get(entry.event, entry.event)),
        about=_about(entry),
        is_refusal=entry.event in number_history.REFUSALS,
    )


def _about(entry: Entry) -> str:
    if entry.event in (number_history.SEND_REFUSED, number_history.GUESS_REFUSED):
        return _limit(entry.about)
    return str(CHANNELS.get(entry.about, ""))  # type: ignore[call-overload]  # a StrEnum


def _limit(name: str) -> str:
    if label := support.LABELS.get(name):
        return str(label)
    if name == ResendTooSoon.limit_name:
        return _("the wait for the next code")
    return _("a limit of the IP address or of the whole service (%(name)s)") % {
        "name": name
    }
