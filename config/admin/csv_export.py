"""Rows as CSV for spreadsheets: streamed, and text stays text.

A spreadsheet runs a cell that begins with = + - @ as a formula, takes `+7999…` and
`12E456` for numbers and drops what it does not show. So every text that does not begin
with a letter gets an apostrophe in front, the spreadsheets' own mark of text. Phone
numbers are no exception: without it the first save would round the longer ones, and the
search boxes of the admin site read them with it.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from config.server.replica import alias_for_long_reads
from config.server.request_queue import Kind, slot

CHUNK = 2000
LINES_AT_ONCE = 500

_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def text_cell(text: str) -> str:
    """Also without what would start a new cell where another separator is usual."""
    text = _BREAKS.sub(" ", text).replace(";", ",")
    return text if not text or text[0].isalpha() else f"'{text}"


def csv_response(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    response = StreamingHttpResponse(
        _lines(header, rows), content_type="text/csv; charset=utf-8"
    )
    day = timezone.now().date().isoformat()
    response["Content-Disposition"] = f'attachment; filename="{name}-{day}.csv"'
    return response


def in_chunks(queryset: QuerySet[Any]) -> Iterator[Any]:
    """Every row by ascending primary key, at most CHUNK of them in memory.

    Only reading a chunk takes a slot and a connection: clients may download slowly.
    Code that uses the rows must not query: load what they refer to by select_related.
    """
    ordered = queryset.order_by("pk")
    last: Any = None
    while True:
        rest = ordered if last is None else ordered.filter(pk__gt=last)
        with slot(Kind.RESUMED):
            chunk = list(rest.using(alias_for_long_reads())[:CHUNK])
        yield from chunk
        if len(chunk) < CHUNK:
            return
        last = chunk[-1].pk


def _lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    lines = ["\ufeff", writer.writerow(header)]  # else Excel does not take it for UTF-8
    for row in rows:
        cells = [text_cell(cell) if isinstance(cell, str) else cell for cell in row]
        lines.append(writer.writerow(cells))
        if len(lines) >= LINES_AT_ONCE:
            yield "".join(lines)
            lines.clear()
    yield "".join(lines)


class _Echo:
    """`csv` writes to files; this one hands the line back."""

    def write(self, line: str) -> str:
        return line
