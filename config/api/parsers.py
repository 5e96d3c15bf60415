import codecs
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser as RestJSONParser


class JSONParser(RestJSONParser):
    """DRF's own, but JSON nested past Python's limit is refused, not a 500.

    A byte order mark, which .NET and PowerShell write, is skipped.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        context = dict(parser_context or {})
        if is_utf8(context.get("encoding") or settings.DEFAULT_CHARSET):
            context["encoding"] = "utf-8-sig"
        try:
            return super().parse(stream, media_type, context)
        except RecursionError:
            raise ParseError(_("The JSON is nested too deeply.")) from None


def is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name == "utf-8"
