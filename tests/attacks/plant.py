"""A web server, PostgreSQL and Redis that a test may stop and kill."""

import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg2  # type: ignore[import-untyped]  # ships no types

from tests.attacks.attacker import Target, new_address
from tests.lab import servers
from tests.lab.shared import new_phone_number

ANSWER_SECONDS = 5
# Differences from production: codes are in the answers, waits and lifetimes are short.
SETTINGS = {
    "SMS_SIMULATED_DELAY": "0",
    "TRUSTED_PROXY_COUNT": "1",
    "SMS_COUNTRIES": "RU,KZ",
    "LOGIN_CODE_TTL_SECONDS": "30",
    "LOGIN_CODE_RESEND_SECONDS": "6,12,30",
    "LIMIT_SENDS": "1000000/3600",
    "LIMIT_SENDS_BY_STRANGERS": "1000000/3600",
    # As in production: here every attacker has an address.
    "LIMIT_SENDS_PER_ADDRESS": "300/3600",
    "LIMIT_PHONES_PER_ADDRESS": "200/3600",
    "LIMIT_SENDS_PER_NETWORK": "600/3600",
    "LOGIN_CODE_GROWTH_PER_CLIENT": "5:6,50:8",
    # Else the guesses of one test make the codes of the next ones longer.
    "LOGIN_CODE_GROWTH_OVERALL": "",
}


class Plant:
    """A stack whose parts can be killed, stopped and started again in place."""

    def __init__(self, running: ExitStack) -> None:
        self.running = running
        self.folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        self.parts: dict[str, servers.Service] = {}
        self.ports = {name: servers.free_port() for name in ("database", "cache")}
        self.start("database")
        self.start("cache")
        env = {**self.parts["database"].env, **self.parts["cache"].env}
        self.database_url = env["DATABASE_URL"]
        self.settings = {
            **env,
            **servers.production(self.folder),
            **SETTINGS,
            "LOGIN_CODE_TTL_SECONDS": "300",
        }

    def start(self, name: str) -> None:
        start = {"database": servers.postgresql, "cache": servers.redis}
        service = start[name](self.folder, self.ports[name])
        self.parts[name] = self.running.enter_context(service)

    def kill(self, name: str) -> None:
        process = self.parts[name].process
        process.kill()
        process.wait()

    def serve(self, **settings: str) -> tuple[servers.Service, Target]:
        web = self.running.enter_context(
            servers.web(self.folder, {**self.settings, **settings})
        )
        target = self.running.enter_context(closing(Target(web.env["BASE_URL"])))
        return web, target

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.database_url)
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())

    def odd_rows(self) -> dict[str, int]:
        """Counts of inconsistent rows, by what is wrong with them."""
        queries = {
            "users without invite code": "users_user WHERE coalesce(invite_code,'')=''",
            "referrals without user": "referrals_referral r WHERE NOT EXISTS"
            " (SELECT 1 FROM users_user u WHERE u.id = r.invitee_id)",
            "tokens without user": "users_token t WHERE NOT EXISTS"
            " (SELECT 1 FROM users_user u WHERE u.id = t.user_id)",
            "users without token": "users_user u WHERE NOT EXISTS"
            " (SELECT 1 FROM users_token t WHERE t.user_id = u.id)",
            "duplicate numbers": "(SELECT phone_number FROM users_user"
            " GROUP BY 1 HAVING count(*) > 1) AS twice",
        }
        # The queries contain nothing from users.
        return {
            what: number
            for what, query in queries.items()
            if (number := self.rows(f"SELECT count(*) FROM {query}")[0][0])  # noqa: S608
        }


def recover(target: Target) -> float:
    """Seconds until sign-in and /readyz work again, three times in a row."""
    start, good = time.monotonic(), 0
    while good < 3:
        assert time.monotonic() - start < 20, "no recovery"
        phone = new_phone_number()
        sent = target.send_code(phone, address=new_address())
        code = sent.json["dev_code"] if sent.status == 200 else "0000"
        answer = target.verify(phone, code, address=new_address())
        ready = target.request("GET", "/readyz")
        good = good + 1 if answer.status == ready.status == 200 else 0
        time.sleep(0.05)
    return time.monotonic() - start
