"""Remove one guard at a time and check that a test fails.

    python -m tests.mutations [ROOM…]

Works on a copy of the tree. The guards are in the other modules of this package, one
module for each app or room.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from tqdm import tqdm

from tests.mutations.guard import Guard

ROOT = Path(__file__).resolve().parent.parent.parent
IGNORED = shutil.ignore_patterns(
    ".git", ".venv*", "*.sqlite3*", "__pycache__", ".*_cache"
)

# They take a second of each run to load.
UNUSED_PLUGINS = ["cacheprovider", "schemathesis", "xdist", "pytest_cov"]

ROOMS = sorted(
    path.stem
    for path in Path(__file__).parent.glob("*.py")
    if not path.stem.startswith("__") and path.stem != "guard"
)


def guards_of(rooms: Sequence[str]) -> list[Guard]:
    return [
        guard
        for room in rooms
        for guard in import_module(f"tests.mutations.{room}").GUARDS
    ]


def survives(guard: Guard, tree: Path) -> bool:
    """Whether the test passes without the guard. Restores the file afterwards."""
    path = tree / guard.file
    source = path.read_text(encoding="utf-8")
    if source.count(guard.code) != 1:
        sys.exit(
            f"{guard.what}: found its code {source.count(guard.code)} times, not once"
        )
    path.write_text(source.replace(guard.code, guard.without), encoding="utf-8")
    try:
        # A race may be won by luck, so one failure in three runs is enough.
        return all(_passes(tree, guard.test) for _ in range(3))
    finally:
        path.write_text(source, encoding="utf-8")


def _passes(tree: Path, *tests: str) -> bool:
    options = [f"-pno:{plugin}" for plugin in UNUSED_PLUGINS]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--create-db", *options]
    result = subprocess.run(
        [*command, *tests], cwd=tree, capture_output=True, text=True
    )
    if result.returncode > 1:
        sys.exit(f"{tests} did not run:\n{result.stdout}{result.stderr}")
    return result.returncode == 0


def main() -> int:
    guards = guards_of(sys.argv[1:] or ROOMS)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(shutil.copytree(ROOT, Path(folder) / "tree", ignore=IGNORED))
        if not _passes(tree, *{guard.test for guard in guards}):
            sys.exit("a test fails although every guard is in place")
        survivors = []
        for guard in (rows := tqdm(guards, unit="guard")):
            rows.set_description(guard.what[:40])
            if survives(guard, tree):
                survivors.append(guard)
    for guard in survivors:
        print(f"no test failed without: {guard.what}\n  {guard.test}")
    print(
        f"a test failed without {len(guards) - len(survivors)} of {len(guards)} guards"
    )
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
