"""The page about OWASP ASVS has every requirement, and names what exists."""

import re
from collections import Counter
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PAGE = (ROOT / "docs/asvs.md").read_text(encoding="utf-8")
VERDICTS = ("pass", "stated decision", "not applicable")
# Requirements of levels 1 and 2 in each section of ASVS 5.0.0: `1.2:9` means 1.2.1 to
# 1.2.9. Those of level 3 come last in each section.
SECTIONS = """
1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2
4.1:3 4.2:1 4.3:2 4.4:4 5.1:1 5.2:3 5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3
6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2 8.1:2 8.2:3 8.3:1 8.4:1 9.1:3 9.2:4 10.1:2
10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3 11.1:2 11.2:3 11.3:3 11.4:4 11.5:1 11.6:1
12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5 14.1:2 14.2:4 14.3:3 15.1:3 15.2:3
15.3:7 16.1:1 16.2:5 16.3:4 16.4:3 16.5:3 17.1:1 17.2:4 17.3:2
"""
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| .+? \| (.+?) \| (.+) \|$", re.MULTILINE)
FILE = re.compile(r"`([\w./-]+\.(?:py|md|js|html|lock|conf|sql|template))`")


def chapters() -> dict[str, list[tuple[str, str, str]]]:
    """Number, verdict and reason of each row, by the heading of the chapter."""
    parts = re.split(r"^## (V\d+ .+)$", PAGE, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], map(ROW.findall, parts[1::2]), strict=True))


def rows() -> list[tuple[str, str, str]]:
    return [row for chapter in chapters().values() for row in chapter]


def test_every_requirement_is_there_once_and_in_order() -> None:
    sections = [entry.split(":") for entry in SECTIONS.split()]
    numbers = [
        f"{section}.{number}"
        for section, count in sections
        for number in range(1, int(count) + 1)
    ]
    assert len(numbers) == 253  # 70 of level 1 and 183 of level 2
    assert [number for number, *_ in rows()] == numbers


def test_every_requirement_has_a_verdict() -> None:
    assert {verdict for _, verdict, _ in rows()} == set(VERDICTS)


def test_every_decision_is_explained() -> None:
    explained = PAGE.partition("\n## Stated decisions\n")[2].partition("\n## ")[0]
    decided = [number for number, verdict, _ in rows() if verdict == VERDICTS[1]]
    assert re.findall(r"^\| (\d\S+) \|", explained, re.MULTILINE) == decided


def test_counts_are_those_of_the_tables() -> None:
    for name, chapter in [*chapters().items(), ("all", rows())]:
        found = Counter(verdict for _, verdict, _ in chapter)
        counts = [found[verdict] for verdict in VERDICTS]
        told = re.search(
            rf"^\| \[?{name}\b.*?((?: \| \d+){{3}}) \|$", PAGE, re.MULTILINE
        )
        assert told, name
        assert [int(count) for count in re.findall(r"\d+", told[1])] == counts, name
        if name != "all":
            many = "" if counts[1] == 1 else "s"
            line = "{} pass, {} stated decision{}, {} not applicable."
            assert f"## {name}\n\n{line.format(*counts[:2], many, counts[2])}" in PAGE


def test_named_files_exist() -> None:
    named = set(FILE.findall(PAGE))
    assert "tests/attacks/test_secrets.py" in named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
