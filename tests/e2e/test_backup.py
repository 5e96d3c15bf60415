"""Runs the backup commands of docs/operations.md, word for word."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.e2e.conftest import Server
from tests.lab.servers import ROOT, stack
from tests.lab.shared import new_phone_number

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


def documented(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```sh\n(.+?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def run(command: str, folder: Path, env: dict[str, str]) -> None:
    """Run a command of the page, but with its files in `folder`."""
    command = command.replace("manage.py", str(ROOT / "manage.py"))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**os.environ, **env, "PATH": path, "ENV_FILE": os.devnull}
    subprocess.run(["sh", "-ec", command], check=True, cwd=folder, env=env)


def query(database_url: str, sql: str) -> list[str]:
    command = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql, database_url]
    return subprocess.run(
        command, check=True, capture_output=True, text=True
    ).stdout.splitlines()


def rows(database_url: str) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    # The table names come from PostgreSQL's catalogue.
    return {
        table: sorted(query(database_url, f'SELECT t::text FROM "{table}" AS t'))  # noqa: S608
        for table in query(database_url, TABLES)
    }


def test_restored_database_equals_the_backup(tmp_path: Path) -> None:
    with stack("real") as env:  # its own stack: nothing else may write to this database
        url, server = env["DATABASE_URL"], Server(env["BASE_URL"])
        alice = server.sign_in(new_phone_number())
        boris = new_phone_number()
        code = server.ask_for_code(boris)
        server.verify(boris, code, invite_code=alice["user"]["invite_code"])
        run(documented("backup"), tmp_path, env)
        before = rows(url)

        query(url, "CREATE DATABASE restored")
        new_url = urlunsplit(urlsplit(url)._replace(path="/restored"))
        run(documented("restore"), tmp_path, {**env, "NEW_DATABASE_URL": new_url})
        assert rows(new_url) == before
    counts = {table: len(found) for table, found in before.items()}
    assert counts["users_user"] == 3  # with the staff account that every stack has
    assert counts["referrals_referral"] == 1
