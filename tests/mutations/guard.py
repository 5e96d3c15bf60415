from typing import NamedTuple


class Guard(NamedTuple):
    """A line that guards something, and the test that must fail without it."""

    what: str
    file: str
    code: str  # found in the file exactly once
    without: str  # replaces the code
    test: str
