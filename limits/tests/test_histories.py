import pytest

from conftest import Clock
from limits import commands, histories


def append(text: str) -> None:
    commands.run([histories.add_command("history", [text], at_most=2, seconds=60)])


def test_the_newest_entries_are_kept_newest_first() -> None:
    for text in ("one", "two", "three"):
        append(text)
    assert histories.entries("history") == [["three"], ["two"]]


@pytest.mark.parametrize(("seconds", "kept"), [(59, 1), (61, 0)])
def test_a_list_ends_after_its_last_entry(
    clock: Clock, seconds: int, kept: int
) -> None:
    append("one")
    clock.pass_seconds(seconds)
    assert len(histories.entries("history")) == kept
