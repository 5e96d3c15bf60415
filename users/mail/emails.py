"""The texts of e-mails: plain text in the active language.

They contain nothing that another person typed, except the name of a device, and never
a whole phone number.
"""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

MAX_DEVICE_NAME = 60


@dataclass(frozen=True, slots=True)
class Email:
    subject: str
    text: str


def verification_link(url: str) -> Email:
    text = _(
        "Somebody entered this e-mail address in their %(brand)s profile. If it was "
        "you, open this link within 24 hours, sign in and press “Confirm”:\n\n"
        "%(url)s\n\nIf it was not you, ignore this e-mail."
    )
    subject = _("Confirm your e-mail")
    return Email(subject, text % {"brand": _brand(), "url": url})


def new_device(name: str) -> Email:
    text = _(
        "Somebody signed in to your account on a new device: %(device)s. Time: "
        "%(time)s (UTC).\n\nIf it was not you, sign the device out here:\n\n%(url)s"
    )
    facts = {
        # One line: it is what the device calls itself.
        "device": " ".join((name or _("Unknown device")).split())[:MAX_DEVICE_NAME],
        "time": _now(),
        "url": _url("devices"),
    }
    return _notice(_("New sign-in to your account"), text % facts)


def number_changed(masked_number: str) -> Email:
    text = _(
        "The phone number of your account was changed to %(number)s, and all devices "
        "were signed out. Time: %(time)s (UTC).\n\nIf it was not you, contact support "
        "at once."
    )
    facts = {"number": masked_number, "time": _now()}
    return _notice(_("Your phone number was changed"), text % facts)


def email_changed() -> Email:
    """To the address before. Whoever steals a phone must not silence the notices."""
    text = _(
        "The e-mail address of your %(brand)s account was changed or removed. This "
        "address gets no more notices. Time: %(time)s (UTC).\n\nIf it was not you, "
        "press “Sign out everywhere” in your profile. Then sign in and enter your "
        "e-mail again:\n\n%(url)s"
    )
    facts = {"brand": _brand(), "time": _now(), "url": _url("profile")}
    return Email(_("Your e-mail was changed"), text % facts)


def invite_code_used(masked_number: str) -> Email:
    text = _(
        "%(number)s has activated your invite code. Your profile lists everybody who "
        "did:\n\n%(url)s"
    )
    facts = {"number": masked_number, "url": _url("profile")}
    return _notice(_("Somebody has activated your invite code"), text % facts)


def base_url() -> str:
    """Without PUBLIC_URL, which only DEBUG allows, the server of `make run`."""
    return settings.PUBLIC_URL or f"http://127.0.0.1:{settings.PORT}"


def _notice(subject: str, text: str) -> Email:
    end = _(
        "You get these e-mails because you confirmed this address for your %(brand)s "
        "profile. To stop them, remove the address from the profile:\n\n%(url)s"
    )
    end %= {"brand": _brand(), "url": _url("profile-edit")}
    return Email(subject, f"{text}\n\n-- \n{end}")


def _url(name: str) -> str:
    return f"{base_url()}{reverse(name)}"


def _now() -> str:
    return date_format(timezone.now(), "j E Y, H:i")


def _brand() -> str:
    return settings.BRAND_NAME or _("Referral")
