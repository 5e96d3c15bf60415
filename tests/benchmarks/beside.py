"""Other projects that run beside ours, on the same PostgreSQL.

A project is a folder with a program `benchmark`, which is run in an empty folder, with
DATABASE_URL of an empty database and PORT. `benchmark prepare` prints two lines: the
path to measure, and the Authorization header for it. `benchmark serve` serves.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg2  # type: ignore[import-untyped]  # ships no types
import requests

from tests.lab import servers

FRESH = Path(__file__).parent / "fresh"


@dataclass(frozen=True, slots=True)
class Project:
    name: str
    base_url: str
    path: str
    authorization: str
    server: psutil.Process


@contextmanager
def serve(folder: Path, database_url: str) -> Iterator[Project]:
    program = folder.resolve() / "benchmark"
    port = servers.free_port()
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DATABASE_URL": _empty_database(database_url, f"beside_{folder.name}"),
        "PORT": str(port),
    }
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            [program, "prepare"],
            cwd=place,
            env=env,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        path, authorization = done.stdout.splitlines()[-2:]
        with subprocess.Popen([program, "serve"], cwd=place, env=env) as process:
            try:
                servers.wait_for_port(port)
                base_url = f"http://127.0.0.1:{port}"
                headers = {"Authorization": authorization}
                requests.get(
                    base_url + path, headers=headers, timeout=servers.START_SECONDS
                ).raise_for_status()
                yield Project(
                    name=folder.name,
                    base_url=base_url,
                    path=path,
                    authorization=authorization,
                    server=psutil.Process(process.pid),
                )
            finally:
                process.terminate()


def _empty_database(url: str, name: str) -> str:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}"')
    connection.close()
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
