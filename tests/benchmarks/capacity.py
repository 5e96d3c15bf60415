"""The tables of docs/capacity.md: what a user takes, and what many users need.

    python -m tests.benchmarks.capacity [--users 1000000] [--data FOLDER]

Measures sizes on its own PostgreSQL, Redis and web server. `growth` calculates the
rest from FIGURES, and a test compares the document with it.
"""

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2  # type: ignore[import-untyped]  # ships no types
import redis
import requests
from tqdm import tqdm

from tests.benchmarks import people
from tests.benchmarks.__main__ import DATABASE, FULL, LIFTED
from tests.lab import servers

SIGN_INS = 2000
KEPT = {"5 minutes": 300, "an hour": 3600, "a day": 86_400, "31 days": 31 * 86_400}
TABLES = {"users_user": 1, "users_token": 2, "referrals_referral": 0.64}
USERS = (10**6, 10**7, 10**8, 10**9)
# The assumptions of the document.
READS_A_DAY = 10
SIGN_INS_A_MONTH = 1
BUSIEST = 4  # times the average
HALF_BUSY = 2  # requests queue up on cores that are busy for more than half the time


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of CPU, and bytes."""

    read_web: float
    read_database: float
    sign_in_web: float  # asking for the code, and signing in
    sign_in_database: float
    sign_in_redis: float
    update_database: float
    user: int  # in PostgreSQL, with devices and referrals
    kept: dict[str, int]  # by sign-in in Redis, by how long


# Sizes of this program with a million users; milliseconds of P2, P3 and P5, rounded.
FIGURES = Measured(
    read_web=2.0,
    read_database=1.0,
    sign_in_web=8.0,
    sign_in_database=1.0,
    sign_in_redis=0.71,
    update_database=0.2,
    user=987,
    kept={"5 minutes": 736, "an hour": 427, "a day": 1127, "31 days": 664},
)


@dataclass(frozen=True, slots=True)
class Needs:
    """What so many users need in the busiest second."""

    reads: float  # a second
    sign_ins: float
    updates: float
    web_cores: float
    database_cores: float
    redis_core: float  # a share of one
    database_bytes: float
    redis_bytes: float
    sends: float  # LIMIT_SENDS an hour: twice the busiest one


def needs(users: int, measured: Measured) -> Needs:
    sign_ins = users * SIGN_INS_A_MONTH / 30 / 86_400
    reads = BUSIEST * users * READS_A_DAY / 86_400
    busiest = BUSIEST * sign_ins
    updates = BUSIEST * users / 86_400
    longest = max(KEPT, key=KEPT.__getitem__)
    in_redis = sum(
        sign_ins * measured.kept[name] * seconds
        for name, seconds in KEPT.items()
        if name != longest
    )
    return Needs(
        reads=reads,
        sign_ins=busiest,
        updates=updates,
        web_cores=HALF_BUSY
        * (reads * measured.read_web + busiest * measured.sign_in_web)
        / 1000,
        database_cores=HALF_BUSY
        * (
            reads * measured.read_database
            + busiest * measured.sign_in_database
            + updates * measured.update_database
        )
        / 1000,
        redis_core=busiest * measured.sign_in_redis / 1000,
        database_bytes=users * measured.user,
        redis_bytes=in_redis + users * measured.kept[longest],
        sends=2 * busiest * 3600,
    )


def growth(measured: Measured) -> dict[str, list[str]]:
    """The rows of the document's table, one number for each of USERS."""
    found = [needs(users, measured) for users in USERS]
    return {
        "reads per second": [short(n.reads) for n in found],
        "sign-ins per second": [
            f"{short(n.sign_ins / BUSIEST)}, {short(n.sign_ins)}" for n in found
        ],
        "updates of a device's last use": [short(n.updates) for n in found],
        "`LIMIT_SENDS`": [f"{short(n.sends)}/3600" for n in found],
        "cores for the web": [short(n.web_cores) for n in found],
        "cores for PostgreSQL": [short(n.database_cores) for n in found],
        "data in PostgreSQL": [f"{short(n.database_bytes / 1e9)} GB" for n in found],
        "memory for Redis": [f"{short(n.redis_bytes / 1e9)} GB" for n in found],
        "share of one core for Redis": [f"{short(n.redis_core * 100)}%" for n in found],
    }


def short(number: float) -> str:
    """Two digits are enough: the assumptions are rough."""
    digits = 1 - math.floor(math.log10(number))
    return f"{round(number, digits):,.{max(digits, 0)}f}".removesuffix(".0")


def table_sizes(url: str) -> dict[str, tuple[int, int]]:
    """Bytes of a row with its indexes, and those of the indexes."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"VACUUM FULL ANALYZE {table}")
            cursor.execute(
                f"SELECT pg_table_size(%s), pg_indexes_size(%s), count(*) FROM {table}",  # noqa: S608  names of our own
                [table, table],
            )
            rows, indexes, count = cursor.fetchone()
            found[table] = (round((rows + indexes) / count), round(indexes / count))
    connection.close()
    return found


@dataclass(frozen=True, slots=True)
class InRedis:
    keys: float
    kept: dict[str, int]
    log: int  # bytes of the append-only file
    milliseconds: float


def sign_ins_in_redis(base_url: str, url: str, first: int) -> InRedis:
    """What a sign-in takes, each on its own number and from its own address."""
    client: Any = redis.Redis.from_url(url)
    before = facts_of(client)
    with ThreadPoolExecutor(8) as threads:
        work = threads.map(lambda i: sign_in(base_url, i, first), range(SIGN_INS))
        list(tqdm(work, "sign-ins", total=SIGN_INS, unit="", leave=False))
    after = facts_of(client)
    grown = after["memory"] - before["memory"]
    by_time = dict.fromkeys(KEPT, 0)
    for key in client.scan_iter(count=1000):
        left = client.ttl(key)
        name = next((n for n, most in KEPT.items() if left <= most), None)
        if name and left > 0:
            by_time[name] += client.memory_usage(key) or 0
    # Scaled to the growth of Redis, which includes its hash tables.
    scale = grown / sum(by_time.values()) / SIGN_INS
    return InRedis(
        keys=(after["keys"] - before["keys"]) / SIGN_INS,
        kept={name: round(size * scale) for name, size in by_time.items()},
        log=round((after["log"] - before["log"]) / SIGN_INS),
        milliseconds=(after["cpu"] - before["cpu"]) * 1000 / SIGN_INS,
    )


def facts_of(client: Any) -> dict[str, float]:
    cpu, log = client.info("cpu"), client.info("persistence")
    return {
        "memory": client.info("memory")["used_memory"],
        "keys": client.dbsize(),
        "cpu": cpu["used_cpu_user"] + cpu["used_cpu_sys"],
        "log": log["aof_current_size"],
    }


def sign_in(base_url: str, i: int, first: int) -> None:
    number = people.new_phone_number(first + i)
    headers = {"X-Forwarded-For": f"100.{64 + i // 256}.{i % 256}.1"}
    body = {"phone_number": number}
    url = f"{base_url}/api/auth"
    sent = requests.post(f"{url}/request-code/", json=body, headers=headers, timeout=30)
    sent.raise_for_status()
    body["code"] = sent.json()["dev_code"]
    done = requests.post(f"{url}/verify-code/", json=body, headers=headers, timeout=30)
    done.raise_for_status()


def report(sizes: dict[str, tuple[int, int]], in_redis: InRedis) -> Iterator[str]:
    for table, (size, indexes) in sizes.items():
        per_user = size * TABLES[table]
        yield f"{table}: {size} bytes a row, indexes {indexes}; {per_user:.0f} a user"
    total = sum(size * TABLES[table] for table, (size, _) in sizes.items())
    yield f"a user: {total:.0f} bytes"
    for name, size in in_redis.kept.items():
        yield f"Redis, kept for up to {name}: {size} bytes a sign-in"
    yield (
        f"Redis: {in_redis.keys:.1f} keys, {sum(in_redis.kept.values())} bytes, "
        f"{in_redis.log} bytes of the append-only file, "
        f"{in_redis.milliseconds:.2f} ms of CPU a sign-in"
    )


def main() -> int:
    parser = argparse.ArgumentParser("tests.benchmarks.capacity", description=__doc__)
    parser.add_argument("--users", type=int, default=FULL)
    parser.add_argument("--data", type=Path, help="folder that keeps the database")
    options = parser.parse_args()
    with ExitStack() as running:
        temporary = Path(running.enter_context(tempfile.TemporaryDirectory()))
        folder = temporary
        if options.data:
            folder = options.data.resolve() / str(options.users)
            folder.mkdir(parents=True, exist_ok=True)
        database = running.enter_context(servers.postgresql(folder, more=DATABASE))
        cache = running.enter_context(servers.redis(temporary))
        settings = {
            **database.env,
            **cache.env,
            **servers.production(temporary),
            **LIFTED,
            "TRUSTED_PROXY_COUNT": "1",
            "SMS_SIMULATED_DELAY": "0",
            "ENV_FILE": os.devnull,
        }
        env = servers.prepare(
            {**settings, "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings"}
        )
        servers.manage(env, "fill", f"--users={options.users}")
        sizes = table_sizes(database.env["DATABASE_URL"])
        server = running.enter_context(servers.serve(temporary, env))
        first = people.draw_new_numbers(SIGN_INS)
        url = cache.env["REDIS_URL"]
        in_redis = sign_ins_in_redis(server.env["BASE_URL"], url, first)
    for line in report(sizes, in_redis):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
