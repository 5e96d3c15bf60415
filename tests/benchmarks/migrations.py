"""How long each migration of ours locks a table with many rows.

    python -m tests.benchmarks.migrations --rows 1000000

Fills the tables as the first migrations made them, then applies the others one by one
and watches the locks that they hold. A migration of a new table has nothing to lock.
"""

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]  # ships no types

from tests.lab import servers

FIRST = [("users", "0001"), ("referrals", "0001"), ("webhooks", "0001")]
APPS = ("users", "referrals", "webhooks")
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Without keys and triggers: the rows are made up to fit.
FILL = [
    """INSERT INTO users_user (id, password, is_superuser, phone_number, first_name,
        last_name, email, is_active, is_staff, date_joined, invite_code)
        SELECT n, '!', false, '+7' || (9000000000 + n), '', '', '', n %% 500 > 0, false,
        now() - n * interval '1 second', (SELECT string_agg(substr(%(alphabet)s,
        (n >> 5 * i & 31) + 1, 1), '') FROM generate_series(0, 5) AS i)
        FROM generate_series(1, %(rows)s) AS n""",
    """INSERT INTO users_token (id, digest, device, created_at, expires_at, user_id)
        SELECT n, encode(sha256(n::text::bytea), 'hex'), 'okhttp/4.12.0',
        now() - n * interval '1 second', now() + interval '90 days', n
        FROM generate_series(1, %(rows)s) AS n""",
    """INSERT INTO referrals_referral (invitee_id, inviter_id, code_used, created_at)
        SELECT n, 1 + n / 10, 'AAAAAA', now() - n * interval '1 second'
        FROM generate_series(1, %(rows)s) AS n WHERE n %% 100 < 64 AND n > 1""",
    """INSERT INTO webhooks_event (id, type, data, created_at, due_at, attempts,
        last_error, delivered_at) SELECT gen_random_uuid(), 'user.created',
        '{"user_id": 1}', now(), now(), 1, '', now()
        FROM generate_series(1, %(rows)s) AS n""",
]
LOCKS = """
    SELECT relation::regclass::text, mode
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE application_name = 'migration' AND granted AND locktype = 'relation'
    AND relation = ANY(%s::regclass[]) AND mode = ANY(%s)
"""
TABLES = ["users_user", "users_token", "referrals_referral", "webhooks_event"]
MEANING = {
    "AccessExclusiveLock": "reads and writes",
    "ExclusiveLock": "writes",
    "ShareRowExclusiveLock": "writes",
    "ShareLock": "writes",
}


@dataclass
class Watch:
    """Asks all the time which locks the migration holds."""

    database_url: str
    seen: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    @contextmanager
    def run(self) -> Iterator[None]:
        stopping = threading.Event()
        thread = threading.Thread(target=self._go, args=[stopping])
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    def _go(self, stopping: threading.Event) -> None:
        connection = psycopg2.connect(self.database_url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            while not stopping.is_set():
                cursor.execute(LOCKS, [TABLES, list(MEANING)])
                now = time.monotonic()
                for table, mode in cursor.fetchall():
                    self.seen.setdefault((table, mode), []).append(now)
                time.sleep(0.001)
        connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as name:
        fast = {
            "shared_buffers": "1GB",
            "maintenance_work_mem": "256MB",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "max_wal_size": "8GB",
        }
        with servers.postgresql(Path(name), more=fast) as postgresql:
            url = postgresql.env["DATABASE_URL"]
            env = {
                **servers.production(Path(name)),
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "ENV_FILE": os.devnull,
                "REDIS_URL": "redis://127.0.0.1:1/0",
                "DATABASE_URL": url,
                "PGAPPNAME": "migration",
            }
            for app, migration in FIRST:
                _migrate(env, app, migration)
            _fill(url, rows)
            for app, migration in _planned(env):
                _measure(env, app, migration)


def _fill(url: str, rows: int) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statement in FILL:
            start = time.monotonic()
            cursor.execute(statement, {"rows": rows, "alphabet": ALPHABET})
            table = statement.split()[2]
            print(f"filled {table}: {time.monotonic() - start:.0f} s", flush=True)
        cursor.execute("VACUUM ANALYZE")
    connection.close()


def _planned(env: servers.Env) -> list[tuple[str, str]]:
    plan = servers.manage(env, "showmigrations", "--plan").splitlines()
    names = [line.split()[2].split(".") for line in plan if line.startswith("[ ]")]
    return [(app, migration) for app, migration in names if app in APPS]


def _measure(env: servers.Env, app: str, migration: str) -> None:
    watch = Watch(env["DATABASE_URL"])
    start = time.monotonic()
    with watch.run():
        _migrate(env, app, migration)
    seconds = time.monotonic() - start
    print(f"{app}.{migration}: {seconds:.1f} s, with the start of the command")
    for (table, mode), times in sorted(watch.seen.items()):
        held = (times[-1] - times[0]) * 1000
        print(f"    {table}: no {MEANING[mode]} for {held:.0f} ms ({mode})")
    print(end="", flush=True)


def _migrate(env: servers.Env, app: str, migration: str) -> None:
    servers.manage(env, "migrate", app, migration, "--verbosity=0")


if __name__ == "__main__":
    main()
