from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.refusals import NotFound, Refusal, Unavailable


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


class ChannelNotOffered(Refusal):
    code = "channel_not_offered"
    attr = "channel"

    def __init__(self, *, offered: Sequence[str]) -> None:
        super().__init__()
        text = gettext("Codes are not sent this way here. Choose one of: %(channels)s.")
        self.text = text % {"channels": ", ".join(offered)}

    @classmethod
    def sample(cls) -> Refusal:
        return cls(offered=["sms", "call"])


class DeliveryUnknown(NotFound):
    text = _("There is no such message, or its code has expired.")


CODE_UNAVAILABLE = _("The code could not be sent. Try again in a moment.")


class SmsUnavailable(Unavailable):
    code = "sms_unavailable"
    text = _("The SMS could not be sent. Try again in a moment.")
    # True if a message with other digits than the code was sent. Nobody can use it, so
    # another backend may follow; but it is billed, so the limits stay charged.
    is_billed = False
    # True if a provider refused this message, and none has sent it.
    is_refused = False

    @classmethod
    def other_digits_sent(cls) -> SmsUnavailable:
        refusal = cls()
        refusal.is_billed = True
        return refusal


class MessageRefused(Exception):
    """The provider refused this message. It may accept the next one.

    Backends raise it. Clients get SmsUnavailable if no other backend sends.
    """


class SmsUnsure(SmsUnavailable):
    """The provider may have accepted it, or may not: nobody knows yet."""

    text = _(
        "We are not sure that the SMS was sent. If it arrives, use its code; if not, "
        "ask again a little later."
    )

    def __init__(self, *, by: str = "", wait: int = 60, is_new: bool = True) -> None:
        super().__init__()
        self.by = by  # dotted path of the backend
        self.wait = wait
        self.is_new = is_new  # by an attempt that this request made
        self.channel: str | None = None
        self.channels: Sequence[str] = ()  # that can carry the code
        # False: the next request will not know of this message.
        self.is_noted = True

    def say_how(self, channel: str) -> None:
        """Let the text name the channel."""
        self.channel = channel
        self.text = _UNSURE.get(channel, self.text)


_UNSURE = {
    "call": _(
        "We are not sure that the call reached you. If a call comes, the code is the "
        "last 4 digits of its number; if not, ask again a little later."
    ),
    "voice": _(
        "We are not sure that the call reached you. If a call comes, use its code; if "
        "not, ask again a little later."
    ),
    "telegram": _(
        "We are not sure that the Telegram message was sent. If it arrives, use "
        "its code; if not, ask again a little later."
    ),
}
