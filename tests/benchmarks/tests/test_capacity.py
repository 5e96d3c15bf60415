"""The table of docs/capacity.md is calculated, not typed."""

from pathlib import Path

import pytest

from tests.benchmarks.capacity import FIGURES, USERS, growth, needs, short

DOCUMENT = Path(__file__).parents[3] / "docs" / "capacity.md"


@pytest.mark.parametrize(("row", "cells"), growth(FIGURES).items())
def test_the_document_has_what_is_calculated(row: str, cells: list[str]) -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    [line] = [line for line in lines if line.startswith(f"| {row}")]
    assert [cell.strip() for cell in line.split("|")[2:-1]] == cells


def test_ten_times_the_people_need_ten_times_as_much() -> None:
    one, *_, thousand = (needs(users, FIGURES) for users in USERS)
    assert thousand.web_cores == pytest.approx(1000 * one.web_cores)
    assert thousand.redis_bytes == pytest.approx(1000 * one.redis_bytes)


@pytest.mark.parametrize(
    ("number", "text"), [(0.0961, "0.096"), (4.96, "5"), (43.2, "43"), (1234, "1,200")]
)
def test_two_digits_are_shown(number: float, text: str) -> None:
    assert short(number) == text
