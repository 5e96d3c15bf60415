"""Remove one guard at a time and check that a test fails.

    python -m tests.mutations [ROOM…] [--part 1/2]

Works on a copy of the tree. The guards are in the other modules of this package, one
module for each app or room.
"""

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest
from tqdm import tqdm

from tests.mutations.guard import Guard

ROOT = Path(__file__).resolve().parent.parent.parent
IGNORED = shutil.ignore_patterns(
    ".git", ".venv*", "*.sqlite3*", "__pycache__", ".*_cache"
)

# Loaded once, here. Importing them takes longer than most of the tests.
LIBRARIES = [
    "cryptography.x509",
    "django.contrib.admin",
    "django.db.backends.sqlite3.base",
    "django.test",
    "httpx2",
    "phonenumbers",
    "redis",
    "requests",
    "rest_framework.serializers",
]

# They take a second of each run to load.
UNUSED_PLUGINS = ["cacheprovider", "xdist", "pytest_cov"]

# The tables are made from the models: a run takes 1.4 s instead of 2.2 s.
NO_MIGRATIONS = "--no-migrations"

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
        options = [] if needs_migrations(guard) else [NO_MIGRATIONS]
        # A race may be won by luck, so one failure in three runs is enough.
        return all(_passes(tree, guard.test, *options) for _ in range(3))
    finally:
        path.write_text(source, encoding="utf-8")


def needs_migrations(guard: Guard) -> bool:
    return "/migrations/" in guard.file


def _passes(tree: Path, *arguments: str) -> bool:
    return _pytest(tree, *arguments)[0]


def _pytest(tree: Path, *arguments: str) -> tuple[bool, str]:
    """Whether the tests pass, and what pytest prints.

    Runs in a child process, which need not load the libraries again.
    """
    with tempfile.TemporaryFile("w+") as output:
        child = multiprocessing.get_context("fork").Process(
            target=_run, args=(tree, arguments, output.fileno())
        )
        child.start()
        child.join()
        output.seek(0)
        printed = output.read()
    if child.exitcode not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        sys.exit(f"{arguments} did not run:\n{printed}")
    return child.exitcode == pytest.ExitCode.OK, printed


def _run(tree: Path, arguments: Sequence[str], output: int) -> None:
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    # Only this package is imported yet. The tests must import the copy's.
    for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
        del sys.modules[name]
    options = [f"-pno:{plugin}" for plugin in UNUSED_PLUGINS]
    status: int = pytest.ExitCode.INTERNAL_ERROR
    try:
        status = pytest.main(["-q", "-x", "--create-db", *options, *arguments])
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("rooms", nargs="*", default=ROOMS)
    parser.add_argument("--part", default="1/1", help="2/3: the second of three parts")
    options = parser.parse_args()
    part, parts = map(int, options.part.split("/"))
    guards = guards_of(options.rooms)[part - 1 :: parts]
    for library in LIBRARIES:
        import_module(library)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(shutil.copytree(ROOT, Path(folder) / "tree", ignore=IGNORED))
        # The first run keeps bytecode, later ones only read it. Python matches bytecode
        # to a file by its modification time, and a file may change twice in a second.
        sys.dont_write_bytecode = False
        migrated = {guard.test for guard in guards if needs_migrations(guard)}
        others = {guard.test for guard in guards if not needs_migrations(guard)}
        for tests in ([NO_MIGRATIONS, *others], list(migrated)):
            # On a busy machine a test of waits may fail; `make test` judges those.
            if tests and not _passes(tree, *tests):
                passed, printed = _pytest(tree, *tests)
                if not passed:
                    sys.exit(f"although every guard is in place:\n{printed}")
        sys.dont_write_bytecode = True
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
