"""The primary of PostgreSQL is killed under load; Patroni promotes the standby.

`make scale` prints the measurements.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2  # type: ignore[import-untyped]  # ships no types
import pytest

from tests.e2e.conftest import Server, outcomes
from tests.e2e.load import Load
from tests.lab import patroni, servers
from tests.lab.shared import new_phone_number

BEFORE = 50  # people who signed up before the kill
ANSWER_SECONDS = MOST_LAG_SECONDS = 5
# Patroni's ttl of 20 s, until the standby knows that the primary is gone, and some time
# to promote it and to connect.
AWAY_SECONDS = 35


@dataclass
class Site:
    cluster: patroni.Cluster
    web: servers.Service
    server: Server
    staff_token: str

    def query(self, sql: str, role: str = "primary") -> list[Any]:
        connection = psycopg2.connect(self.cluster.member(role).database_url)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                rows: list[Any] = cursor.fetchall()
                return rows
        finally:
            connection.close()

    @contextmanager
    def standby_paused(self) -> Iterator[None]:
        """It receives and confirms changes, but does not apply them."""
        self.query("SELECT pg_wal_replay_pause()::text", "sync")
        try:
            yield
        finally:
            self.query("SELECT pg_wal_replay_resume()::text", "sync")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        cluster = running.enter_context(patroni.cluster(folder))
        settings = {
            **servers.production(folder),
            **running.enter_context(servers.redis(folder)).env,
            **cluster.env,
            "SMS_SIMULATED_DELAY": "0",
            # More people sign up than these allow in an hour.
            "LIMIT_SENDS": "",
            "LIMIT_SENDS_BY_STRANGERS": "",
        }
        web = running.enter_context(servers.web(folder, settings))
        token = servers.staff_token(settings)
        yield Site(cluster, web, Server(web.env["BASE_URL"]), token)


def test_staff_see_the_standby_while_it_is_at_most_five_seconds_behind(
    site: Site,
) -> None:
    site.server.sign_in(new_phone_number())
    with site.standby_paused():
        start = time.monotonic()
        newest = site.server.sign_in(new_phone_number())["user"]["id"]
        assert _newest_person(site) != newest  # the standby does not have it yet
        while _newest_person(site) != newest:  # then the primary is read
            assert time.monotonic() < start + MOST_LAG_SECONDS + 1
            time.sleep(0.1)
        seconds = time.monotonic() - start
    print(f"\n  standby paused: staff saw a new person after {seconds:.1f} s", end="")


def _newest_person(site: Site) -> int:
    people = site.server.get("/api/users/", site.staff_token).json()["results"]
    newest: int = people[0]["id"]
    return newest


def test_a_reader_of_the_ledger_on_the_standby_misses_no_entry(site: Site) -> None:
    """The standby stops and goes on all the time, so that it lags and catches up."""
    read: list[tuple[int, str]] = []

    def read_on() -> None:
        since = read[-1][0] if read else 0
        path = f"/api/referrals/?since={since}"
        answer = site.server.get(path, site.staff_token)
        assert answer.ok, answer.text
        page = answer.json()["results"]
        read.extend((entry["position"], entry["id"]) for entry in page)

    with Load(site.server):
        for _ in range(6):
            with site.standby_paused():
                for _ in range(5):
                    read_on()
            read_on()
    [(entries, _)] = site.query("SELECT count(*), '' FROM referrals_ledgerentry")
    deadline = time.monotonic() + 2 * MOST_LAG_SECONDS
    while len(read) < entries and time.monotonic() < deadline:
        read_on()
    written = site.query("SELECT position, id::text FROM referrals_ledgerentry")
    print(
        f"\n  entries of the ledger, read while they were written: {len(read)}", end=""
    )
    assert read == sorted(written)
    assert len(read) > 10


def test_no_acknowledged_write_is_lost_with_the_primary(site: Site) -> None:
    victim = site.cluster.member("primary")
    with Load(site.server) as load:
        patroni.wait_until(lambda: len(load.signed_up) > BEFORE)
        killed = time.monotonic()
        victim.kill()
        deadline = killed + AWAY_SECONDS
        while not load.succeeded_since(killed) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(4)
    answered = load.succeeded_since(killed)
    assert answered, f"no sign-in for {AWAY_SECONDS} s"
    away = min(seen.end for seen in answered) - killed
    slowest = load.slowest_since(killed)
    failed = [seen for seen in load.seen if not seen.answer.ok]
    print(
        f"\n  primary killed under load: sign-in works again after"
        f" {away:.1f} s; until then {len(failed)} answers of 503, the slowest after"
        f" {slowest:.1f} s"
    )
    assert set(outcomes(seen.answer for seen in failed)) == {"service_unavailable"}
    assert slowest < ANSWER_SECONDS
    _assert_nothing_is_lost(site, load)
    _assert_web_was_not_restarted(site)

    # The old primary comes back, without the writes that only it has, as a standby.
    site.cluster.start(victim)
    site.cluster.wait_for_pair()
    assert victim.is_("replica")


def test_service_goes_on_without_its_only_standby(site: Site) -> None:
    """Patroni then gives up waiting for it: its synchronous mode is not strict."""
    victim = site.cluster.member("sync")
    with Load(site.server) as load:
        patroni.wait_until(lambda: len(load.signed_up) > BEFORE)
        killed = time.monotonic()
        victim.kill()
        time.sleep(1)
        while not load.succeeded_since(killed + 1):
            assert time.monotonic() < killed + AWAY_SECONDS
            time.sleep(0.1)
        time.sleep(3)
    away = min(s.end for s in load.succeeded_since(killed + 1)) - killed
    slowest = load.slowest_since(killed)
    seen = outcomes(seen.answer for seen in load.seen)
    print(
        f"\n  the only standby killed: sign-in works again after {away:.1f} s, the"
        f" slowest answer after {slowest:.1f} s; {dict(seen)}"
    )
    assert set(seen) <= {"200", "service_unavailable"}
    _assert_nothing_is_lost(site, load)
    _assert_web_was_not_restarted(site)
    site.cluster.start(victim)
    site.cluster.wait_for_pair()


def _assert_nothing_is_lost(site: Site, load: Load) -> None:
    people = dict(site.query("SELECT id, phone_number FROM users_user"))
    sql = "SELECT invitee_id, code_used FROM referrals_referral"
    referrals = dict(site.query(sql))
    lost = load.signed_up.items() - people.items()
    lost_activations = load.activated.items() - referrals.items()
    print(
        f"  acknowledged and lost: {len(lost)} of {len(load.signed_up)} sign-ups,"
        f" {len(lost_activations)} of {len(load.activated)} activations",
        end="",
    )
    assert load.activated
    assert not lost
    assert not lost_activations


def _assert_web_was_not_restarted(site: Site) -> None:
    assert site.web.process.poll() is None
    log = site.web.log.read_text(errors="replace")
    assert log.count("Booting worker") == 2
