"""Dumps that an attacker could steal, and accounts to attack."""

from pathlib import Path
from urllib.parse import urlsplit

import psycopg2  # type: ignore[import-untyped]  # ships no types

from referrals.invite_codes import draw_invite_code
from tests.attacks.attacker import Target
from tests.attacks.conftest import Lab
from tests.lab.shared import new_phone_number


def log_file(lab: Lab, server: Target) -> Path:
    return lab.folder / f"web-{urlsplit(server.base_url).port}.log"


def log_of(lab: Lab, server: Target) -> str:
    return log_file(lab, server).read_text(errors="replace")


def write(lab: Lab, query: str, *values: object) -> None:
    connection = psycopg2.connect(lab.services["DATABASE_URL"])
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(query, values)
    finally:
        connection.close()


def add_accounts(lab: Lab, number: int) -> list[str]:
    """Create accounts directly in the database. Return their numbers."""
    phones = sorted({new_phone_number() for _ in range(number)})
    for phone in phones:
        write(
            lab,
            "INSERT INTO users_user (password, is_superuser, phone_number, first_name,"
            " last_name, email, is_active, is_staff, date_joined, invite_code)"
            " VALUES ('!', false, %s, '', '', '', true, false, now(), %s)",
            phone,
            draw_invite_code(),
        )
    return phones


def dump_of_redis(lab: Lab) -> str:
    """Every key with its value, one per line."""
    lines = []
    redis = lab.redis
    for key in redis.scan_iter(count=5000):
        kind = redis.type(key)
        value = redis.get(key) if kind == b"string" else kind
        lines.append(f"{_text(key)} {_text(value)}")
    redis.close()
    return "\n".join(lines)


def dump_of_database(lab: Lab) -> str:
    """Every row of every table, as text."""
    tables = lab.rows(
        "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
    )
    lines = []
    for (table,) in tables:
        rows = lab.rows(f"SELECT t::text FROM {table} t")  # noqa: S608  quoted by PostgreSQL
        lines += [f"{table} {row[0]}" for row in rows]
    return "\n".join(lines)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value)
