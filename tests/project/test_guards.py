"""Every guard of `make mutations` is where its table says."""

import ast
import re

import pytest

from tests.lab.servers import ROOT
from tests.mutations.__main__ import ROOMS, guards_of
from tests.mutations.guard import Guard


@pytest.mark.parametrize("guard", guards_of(ROOMS), ids=lambda guard: guard.what)
def test_guard_is_found(guard: Guard) -> None:
    source = (ROOT / guard.file).read_text(encoding="utf-8")
    assert source.count(guard.code) == 1
    # A syntax error would make any test fail.
    ast.parse(source.replace(guard.code, guard.without))
    assert "#" not in guard.code
    path, _, name = guard.test.partition("::")
    function = re.sub(r"\[.*", "", name)
    assert f"def {function}(" in (ROOT / path).read_text(encoding="utf-8")
