"""What people are told about the code that was sent."""

from django.utils.translation import gettext as _

from users.channels import Channel
from users.login.requesting import CodeSent


def told(sent: CodeSent) -> str:
    if sent.is_fallback:
        failed = _("The first attempt to send the code failed.")
        return f"{failed} {_by(sent.channel)}"
    return _by(sent.channel)


def _by(channel: Channel | None) -> str:
    if channel == Channel.CALL:
        return _(
            "We are calling you. The code is the last 4 digits of the number that we "
            "call from."
        )
    if channel == Channel.VOICE:
        return _("We are calling you. A voice will read out the code.")
    if channel == Channel.TELEGRAM:
        return _("The code has been sent to you on Telegram.")
    return _("The code has been sent.")
