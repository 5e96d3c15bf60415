import codecs
from typing import Any
from wsgiref.types import StartResponse

from django.core.handlers.wsgi import WSGIHandler
from django.http.response import HttpResponseBase
from django.utils.http import parse_header_parameters

# Not ASCII. "\ud800" is half of a surrogate pair in unicode_escape, "+2AA-" in UTF-7.
ODD_BYTES = rb"\ud800+2AA-" + b"\xff"

# These cannot decode every text, whatever the error handler.
FOR_HOST_NAMES = {"idna", "punycode"}


class Application(WSGIHandler):
    """Django, which never receives a Content-Type that it cannot use.

    Django decodes the query with the charset of Content-Type, before any middleware. A
    charset such as zlib would be a 500 at every address.
    """

    def __call__(
        self, environ: dict[str, Any], start_response: StartResponse
    ) -> HttpResponseBase:
        kind = environ.get("CONTENT_TYPE", "")
        if ";" in kind and not _is_usable(kind):
            environ["CONTENT_TYPE"] = kind.partition(";")[0]
        return super().__call__(environ, start_response)


def _is_usable(content_type: str) -> bool:
    try:
        _kind, parameters = parse_header_parameters(content_type)
        charset = codecs.lookup(parameters.get("charset", "utf-8")).name
        if charset in FOR_HOST_NAMES:
            return False
        text = ODD_BYTES.decode(charset, "replace")
        text.encode()  # no answer could contain half of a pair
    except (LookupError, ValueError):
        return False
    return True
