"""Where an invite link can be shared. Plain links: nothing is loaded from there."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    url: str


def share_text(invite_code: str) -> str:
    if settings.BRAND_NAME:
        text = _("Join me on %(brand)s with my invite code: %(code)s")
        return text % {"brand": settings.BRAND_NAME, "code": invite_code}
    return _("Join me with my invite code: %(code)s") % {"code": invite_code}


def places(link: str, text: str) -> list[Place]:
    return [
        Place("Telegram", _url("https://t.me/share/url", url=link, text=text)),
        Place("WhatsApp", _url("https://wa.me/", text=f"{text} {link}")),
        Place(_("VK"), _url("https://vk.com/share.php", url=link, title=text)),
    ]


def _url(page: str, **query: str) -> str:
    return f"{page}?{urlencode(query)}"
