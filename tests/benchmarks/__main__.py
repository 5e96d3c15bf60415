"""Measure the service and compare the figures with the targets.

    python -m tests.benchmarks [--users N] [--data FOLDER] [--runs 3] [--only P1,P3]
        [--beside FOLDER]

Starts its own PostgreSQL, Redis and web server, as in production, and stops them at the
end. --data keeps the database in this folder for the next run. --beside measures a view
of another project, too: see `beside.py`.
"""

import argparse
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import psutil

from tests.benchmarks import (
    clients,
    overload,
    reading,
    report,
    signing_in,
    staff,
    starting,
    waiting,
)
from tests.benchmarks.lab import Figure, Lab, at_most, watched
from tests.lab import servers

FULL = 1_000_000
MOST_CONNECTIONS = 20
# PostgreSQL's defaults, but more memory: the default is for a very small machine.
DATABASE = {"fsync": "on", "shared_buffers": "512MB"}
# These limits are counted, but raised: one address requests thousands of codes.
LIFTED = dict.fromkeys(
    [
        "LIMIT_SENDS",
        "LIMIT_SENDS_BY_STRANGERS",
        "LIMIT_SENDS_PER_ADDRESS",
        "LIMIT_PHONES_PER_ADDRESS",
        "LIMIT_SENDS_PER_NETWORK",
    ],
    "100000000/3600",
)
MEASURES = {
    "P1 P2": reading.measure,
    "P3": waiting.measure,
    "P4": clients.measure,
    "P5": signing_in.measure,
    "P6": staff.measure,
    "P7": starting.measure,
    "P8": overload.measure,
}


def main() -> int:
    options = arguments()
    # SIGTERM must also stop the servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    others = report.Others()
    with ExitStack() as running:
        temporary = Path(running.enter_context(tempfile.TemporaryDirectory()))
        figures = run(options, temporary, running)
    command = f"python -m tests.benchmarks {' '.join(sys.argv[1:])}".strip()
    document = report.document(figures, options.users, command, others.share)
    print(f"\n{document}")
    if not options.only:
        name = "RESULTS.md" if options.users >= FULL else "RESULTS-quick.md"
        (Path(__file__).parent / name).write_text(document)
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("tests.benchmarks", description=__doc__)
    parser.add_argument("--users", type=int, default=FULL)
    parser.add_argument("--data", type=Path, help="folder that keeps the database")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--only", default="", help="measurements, for example P1,P3")
    parser.add_argument("--beside", type=Path, help="folder of another project")
    options = parser.parse_args()
    if options.runs % 2 == 0:
        parser.error("the number of runs must be odd, so that there is a median")
    if options.users < 5000:
        parser.error("at least 5,000 users are needed for the long lists of referrals")
    return options


def run(
    options: argparse.Namespace, temporary: Path, running: ExitStack
) -> list[Figure]:
    folder = temporary
    if options.data:
        folder = options.data.resolve() / str(options.users)
        folder.mkdir(parents=True, exist_ok=True)
    database = running.enter_context(servers.postgresql(folder, more=DATABASE))
    redis = running.enter_context(servers.redis(temporary))
    settings = {**database.env, **redis.env, **servers.production(temporary), **LIFTED}
    env = servers.prepare(
        {**settings, "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings"}
    )
    servers.manage(env, "fill", f"--users={options.users}")
    with (
        watched(database.env["DATABASE_URL"]) as connections,
        servers.serve(temporary, env) as server,
    ):
        lab = Lab(
            users=options.users,
            folder=temporary,
            env=env,
            base_url=server.env["BASE_URL"],
            server=psutil.Process(server.process.pid),
            database=psutil.Process(database.process.pid),
            beside=options.beside,
        )
        runs = [measure_all(lab, options.only) for _ in range(options.runs)]
    most = connections.most
    figures = report.together(runs)
    figures.append(
        at_most("P4", "most PostgreSQL connections at once", most, MOST_CONNECTIONS)
    )
    return figures


def measure_all(lab: Lab, only: str) -> list[Figure]:
    figures: list[Figure] = []
    for bars, measure in MEASURES.items():
        if wanted(bars, only):
            print(f"{bars} …", file=sys.stderr)
            figures += measure(lab)
            lab.settle()
    return figures


def wanted(bars: str, only: str) -> bool:
    return not only or any(bar in only.split(",") for bar in bars.split())


if __name__ == "__main__":
    sys.exit(main())
