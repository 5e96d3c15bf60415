from pathlib import Path

import pytest

from tests.benchmarks import pieces, report, signing_in, waiting
from tests.benchmarks.lab import Figure, at_least, at_most


@pytest.mark.parametrize(("name", "file", "code", "without"), pieces.PIECES)
def test_a_piece_is_found_once(name: str, file: str, code: str, without: str) -> None:
    if file:
        text = (pieces.ROOT / file).read_text(encoding="utf-8")
        assert text.count(code) == 1
        assert without not in text or not without


def test_the_benchmark_has_a_row_for_each_column() -> None:
    files = [Path(module.__file__ or "") for module in (waiting, signing_in)]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert [row for row in pieces.COLUMNS.values() if row not in text] == []


def test_figures_are_read_from_a_report() -> None:
    codes, profile, new, returning = pieces.COLUMNS.values()
    rows: list[Figure] = [
        at_least("P3", f"1,000 {codes}", 1661, 600, "/s"),
        at_most("P3", profile, 60, 300, " ms"),
        at_least("P5", new, 346, 150, "/s"),
        at_least("P5", returning, 415, 300, "/s"),
    ]
    document = report.document(rows, 20_000, "python -m tests.benchmarks", 0.07)
    assert pieces.figures_of(document) == [1661, 60, 346, 415, 7]
