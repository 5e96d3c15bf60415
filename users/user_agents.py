from contextlib import suppress
from urllib.parse import unquote

from ua_parser import parse_os, parse_user_agent


def readable(user_agent: str) -> str:
    """The header, decoded, without control and bidi characters.

    WSGI reads headers as Latin-1, but apps with a non-English name send UTF-8, or the
    percent-encoding of it, as iOS does.
    """
    text = user_agent
    with suppress(UnicodeError):  # else Latin-1 was meant
        text = text.encode("latin-1").decode()
    with suppress(UnicodeError):  # else a percent sign that encodes nothing
        text = unquote(text, errors="strict")
    return "".join(filter(str.isprintable, text))


def device_name(user_agent: str) -> str:
    """For example `Chrome Mobile, Android`. An unknown text is returned as it is."""
    try:
        found = parse_user_agent(user_agent), parse_os(user_agent)
    except ValueError:  # raised by the parser for a version it does not know
        return user_agent
    known = dict.fromkeys(part.family for part in found if part)
    return ", ".join(known) or user_agent
