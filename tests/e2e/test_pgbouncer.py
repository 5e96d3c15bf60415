"""The service behind PgBouncer, with the settings of docs/deployment.md.

`make scale` prints the measurements.
"""

import re
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]  # ships no types
import pytest
import requests

from tests.e2e.conftest import TIMEOUT_SECONDS, Answer, Server, outcomes
from tests.e2e.test_races import (  # noqa: F401  they run here, too
    show,
    test_code_signs_in_once_of_50_attempts,
    test_five_of_500_wrong_guesses_are_compared,
    test_one_of_12_activations_succeeds,
    test_one_of_20_first_sign_ins_succeeds,
    test_one_of_100_code_requests_is_accepted,
)
from tests.lab import servers
from tests.lab.shared import at_once, new_phone_number

PAGE = (servers.ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
PEOPLE = 30_000
ANSWER_SECONDS = 5


@contextmanager
def pgbouncer(folder: Path, postgresql_port: int) -> Iterator[int]:
    """PgBouncer as documented, but on loopback and on ports of its own."""
    documented = re.search(r"<!-- pgbouncer -->\n```ini\n(.+?)```", PAGE, re.DOTALL)
    assert documented
    port, home = servers.free_port(), folder / "pgbouncer"
    home.mkdir()
    (home / "userlist.txt").write_text('"referral" "change-me"\n')
    text = documented[1]
    for old, new in [
        ("10.0.0.1", "127.0.0.1"),
        ("port=5432", f"port={postgresql_port}"),
        ("10.0.0.5", "127.0.0.1"),
        ("6432", str(port)),
        ("/etc/pgbouncer/", f"{home}/"),
    ]:
        assert old in text, old
        text = text.replace(old, new)
    configuration = home / "pgbouncer.ini"
    configuration.write_text(text + "unix_socket_dir =\n")
    log = folder / "pgbouncer.log"
    user = servers.unprivileged_user()
    with servers.spawn(["pgbouncer", configuration], log, user=user):
        servers.wait_for_port(port)
        yield port


@dataclass(frozen=True, slots=True)
class Site:
    server: Server
    direct: str  # URLs
    pooled: str
    settings: servers.Env

    def query(self, url: str, sql: str) -> str:
        """The first column of the first row, in a connection of its own."""
        connection = psycopg2.connect(url)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return str(cursor.fetchone()[0])
        finally:
            connection.close()

    def staff_session(self) -> requests.Session:
        """A browser in which a superuser is signed in at the admin site."""
        phone, password = new_phone_number(), secrets.token_urlsafe(12)
        superuser = {
            "DJANGO_SUPERUSER_PHONE_NUMBER": phone,
            "DJANGO_SUPERUSER_PASSWORD": password,
        }
        env = {**self.settings, **superuser}
        servers.manage(env, "createsuperuser", "--noinput", "--verbosity=0")
        browser = requests.Session()
        url = f"{self.server.base_url}/admin/login/"
        browser.get(url, timeout=TIMEOUT_SECONDS)
        form = {
            "username": phone,
            "password": password,
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
        }
        browser.post(url, form, timeout=TIMEOUT_SECONDS).raise_for_status()
        assert "sessionid" in browser.cookies
        return browser


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        postgresql = running.enter_context(servers.postgresql(folder))
        postgresql_url = postgresql.env["DATABASE_URL"]
        port = int(postgresql_url.rpartition(":")[2].partition("/")[0])
        for sql in (
            "CREATE ROLE referral LOGIN PASSWORD 'change-me'",
            "CREATE DATABASE referral OWNER referral",
        ):
            connection = psycopg2.connect(postgresql_url)
            connection.autocommit = True
            connection.cursor().execute(sql)
            connection.close()
        bouncer = running.enter_context(pgbouncer(folder, port))
        url = f"postgresql://referral:change-me@127.0.0.1:{bouncer}/referral"
        settings = {
            **servers.production(folder),
            **running.enter_context(servers.redis(folder)).env,
            "SMS_SIMULATED_DELAY": "0.2",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        # The migrations go through the entry for them, the service through the other.
        env = servers.prepare({**settings, "DATABASE_URL": f"{url}_migrations"})
        env["DATABASE_URL"] = url
        web = running.enter_context(servers.serve(folder, env))
        yield Site(
            server=Server(web.env["BASE_URL"]),
            direct=postgresql_url.replace("/postgres", "/referral"),
            pooled=url,
            settings=env,
        )


@pytest.fixture(scope="module")
def server(site: Site) -> Server:
    """For the races."""
    return site.server


def test_migrations_leave_nothing_in_the_connections_of_the_service(site: Site) -> None:
    env = {**site.settings, "DATABASE_URL": f"{site.pooled}_migrations"}
    servers.manage(env, "migrate", "--check")
    servers.manage(env, "migrate", "--verbosity=0")
    assert site.query(site.pooled, "SHOW lock_timeout") == "0"
    assert site.query(site.pooled, "SHOW statement_timeout") == "2500ms"
    assert site.query(f"{site.pooled}_migrations", "SHOW statement_timeout") == "0"


def test_an_export_has_all_lines(site: Site) -> None:
    browser = site.staff_session()
    before = int(site.query(site.direct, "SELECT count(*) FROM users_user"))
    _add_people(site)
    url = f"{site.server.base_url}/admin/users/user/export/"
    start = time.monotonic()
    answer = browser.post(
        url,
        {"csrfmiddlewaretoken": browser.cookies["csrftoken"]},
        headers={"Referer": url},
        timeout=TIMEOUT_SECONDS,
    )
    lines = answer.text.splitlines()
    seconds = time.monotonic() - start
    print(f"\n  export of {len(lines) - 1:,} people: {seconds:.1f} s", end="")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert len(lines) == 1 + before + PEOPLE


def _add_people(site: Site) -> None:
    connection = psycopg2.connect(site.direct)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO users_user (password, is_superuser, phone_number, first_name,"
            " last_name, email, is_active, is_staff, date_joined, invite_code)"
            " SELECT '!', false, '+7888' || lpad(n::text, 7, '0'), '', '', '', true,"
            " false, now(), translate(lpad(n::text, 6, '0'), '01', 'AB')"
            " FROM generate_series(1, %s) AS n",
            [PEOPLE],
        )
    connection.close()


def test_forms_of_the_admin_site_work_side_by_side(site: Site) -> None:
    """Django reads the choices of a form with a cursor on the server by default.

    In transaction mode the next query may reach another connection of PostgreSQL, which
    does not know that cursor.
    """
    browser = site.staff_session()
    url = f"{site.server.base_url}/admin/auth/group/add/"

    def open_form(_: int) -> Answer:
        return requests.get(url, cookies=browser.cookies, timeout=TIMEOUT_SECONDS)

    answers = at_once(100, open_form, threads=8)
    seen = Counter(answer.status_code for answer in answers)
    print(f"\n  100 forms of the admin site, eight at a time: {dict(seen)}", end="")
    assert seen == {200: 100}


def test_a_locked_row_is_answered_within_five_seconds(site: Site) -> None:
    """`connect_query` bounds each statement, as gunicorn's PGOPTIONS do elsewhere."""
    people = [site.server.sign_in(new_phone_number()) for _ in range(5)]
    holder = psycopg2.connect(site.direct)
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE users_user IN ACCESS EXCLUSIVE MODE")

    def read(i: int) -> tuple[Answer, float]:
        start = time.monotonic()
        answer = site.server.get("/api/profile/", people[i % len(people)]["token"])
        return answer, time.monotonic() - start

    answers = at_once(20, read)
    holder.close()
    show("20 profiles behind a lock", outcomes(answer for answer, _ in answers))
    slowest = max(seconds for _, seconds in answers)
    print(f", the slowest after {slowest:.1f} s", end="")
    assert outcomes(answer for answer, _ in answers) == {"service_unavailable": 20}
    assert slowest < ANSWER_SECONDS
    assert site.server.get("/api/profile/", people[0]["token"]).ok
