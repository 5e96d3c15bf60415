"""What each home-made piece around the server buys: measured with and without it.

    python -m tests.benchmarks.pieces [--data FOLDER] [--rounds N]

Measures P3 and P5 with 20,000 people, on copies of the tree: first as it is, then with
each piece taken away, then as it is again. The difference between the two runs as it is
shows how much is noise. Writes PIECES.md.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = Path(__file__).parent / "PIECES.md"
IGNORED = shutil.ignore_patterns(".git", ".venv*", "*.sqlite3*", "__pycache__")
GUNICORN = "config/server/gunicorn.conf.py"
DEADLINE_WORKER = '"config.server.web_worker.DeadlineThreadWorker"'
AS_IT_IS = "as it is"
# Name, file, the code of the piece, and what replaces it.
PIECES = [
    (AS_IT_IS, "", "", ""),
    (
        "plain gthread worker",
        GUNICORN,
        f"worker_class = {DEADLINE_WORKER}",
        'worker_class = "gthread"',
    ),
    (
        "no request queue",
        "config/settings.py",
        '    "config.api.overload.RequestQueueMiddleware",\n',
        "",
    ),
    ("WEB_PIN_WORKERS=off", GUNICORN, "    WEB_PIN_WORKERS,\n", ""),
    (f"{AS_IT_IS}, again", "", "", ""),
]
# A column, and the row of the benchmark's report that it is taken from.
COLUMNS = {
    "codes/s": "clients ask for codes",
    "profile p99, ms": "profile during it: p99",
    "new sign-ins/s": "sign-ins of new people",
    "returning sign-ins/s": "sign-ins of people who return",
}
OTHERS = "CPU of others, %"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    seen: dict[str, list[list[int]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # PostgreSQL may run as another user
        data = options.data or Path(folder) / "people"
        # Copied once: what is edited meanwhile is not measured.
        whole = shutil.copytree(ROOT, Path(folder) / "whole", ignore=IGNORED)
        runs = [piece for _ in range(options.rounds) for piece in PIECES]
        for number, (name, file, code, without) in enumerate(tqdm(runs, unit="run")):
            tree = Path(folder) / f"tree-{number}"
            shutil.copytree(whole, tree)
            if file:
                take_away(tree / file, code, without)
            seen.setdefault(name, []).append(measure(tree, data))
            shutil.rmtree(tree)
    page = document(seen)
    PAGE.write_text(page, encoding="utf-8")
    print(page)
    return 0


def take_away(file: Path, code: str, without: str) -> None:
    text = file.read_text(encoding="utf-8")
    if text.count(code) != 1:
        raise SystemExit(f"{file.name}: {code!r} is there {text.count(code)} times")
    text = text.replace(code, without)
    if "WEB_PIN_WORKERS" in code:
        text = text.replace("\nbind = ", "\nWEB_PIN_WORKERS = False\nbind = ", 1)
    file.write_text(text, encoding="utf-8")


def measure(tree: Path, data: Path) -> list[int]:
    command = [sys.executable, "-m", "tests.benchmarks", "--users", "20000"]
    command += ["--runs", "1", "--only", "P3,P5", "--data", str(data)]
    # The copy is no git checkout; the benchmark wants a version to name.
    env = {**os.environ, "GIT_DIR": str(ROOT / ".git"), "GIT_WORK_TREE": str(ROOT)}
    done = subprocess.run(
        command, cwd=tree, env=env, stdout=subprocess.PIPE, text=True, check=True
    )
    return figures_of(done.stdout)


def figures_of(report: str) -> list[int]:
    patterns = [rf"{row} *\|[^|]*\| *([\d,]+)" for row in COLUMNS.values()]
    patterns.append(r"other programs used (\d+)%")
    return [_figure(pattern, report) for pattern in patterns]


def _figure(pattern: str, output: str) -> int:
    match = re.search(pattern, output)
    if match is None:
        raise SystemExit(f"no figure like {pattern} in:\n{output}")
    return int(match[1].replace(",", ""))


def document(seen: dict[str, list[list[int]]]) -> str:
    rounds = len(seen[AS_IT_IS])
    lines = [
        "# The home-made pieces around the server, taken away one at a time",
        "",
        f"20,000 people; runs of each: {rounds}, the median. By `make bench-pieces`.",
        "The two rows as it is show how much is noise.",
        "",
        f"| | {' | '.join([*COLUMNS, OTHERS])} |",
        f"|---|{'---:|' * (len(COLUMNS) + 1)}",
    ]
    for name, figures in seen.items():
        cells = [f"{median(column):,.0f}" for column in zip(*figures, strict=True)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
