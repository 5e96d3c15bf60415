"""How often invite links are opened, as one number a day.

Nothing is stored about who opened which link. A person who opens a link twice counts
twice. Messengers and search engines fetch links, too: they do not count.
"""

import re
from contextlib import suppress
from typing import Final

from django.http import HttpRequest

from config.server.redis_pool import REDIS_FAILS
from limits import commands, daily

LINK_OPENS: Final = "link_opens"

# CUBOT makes phones.
_PROGRAM = re.compile(
    r"(?<!cu)bot\b|bot/|crawl|spider|preview|fetch|scan|monitor|externalhit|"
    r"facebookcatalog|"
    r"^whatsapp|^viber|vkshare|slack|discord|skypeuri|embedly|headless|"
    r"curl|wget|python|java/|go-http|node|axios|ruby|perl|libwww",
    re.IGNORECASE,
)


def count_open(request: HttpRequest) -> None:
    if is_by_a_person(request):
        with suppress(*REDIS_FAILS):
            commands.run([daily.tally(LINK_OPENS)])


def is_by_a_person(request: HttpRequest) -> bool:
    """Whether a browser shows the page to somebody, as far as its headers tell."""
    if request.method != "GET":
        return False
    purpose = request.headers.get("Sec-Purpose") or request.headers.get("Purpose") or ""
    if "fetch" in purpose.lower() or "preview" in purpose.lower():
        return False
    user_agent = request.headers.get("User-Agent", "")
    return bool(user_agent) and not _PROGRAM.search(user_agent)
