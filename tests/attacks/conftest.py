"""A live stack to attack, and a table of the attacks and their results."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2  # type: ignore[import-untyped]  # ships no types
import pytest
from redis import Redis

from tests.attacks.attacker import Target
from tests.attacks.browser import Browser
from tests.attacks.plant import SETTINGS, Plant
from tests.lab import servers
from tests.lab.shared import new_phone_number


@dataclass
class Lab:
    """The running stack. Can start more web servers with other settings."""

    folder: Path
    services: dict[str, str]
    web: servers.Service
    running: ExitStack
    target: Target
    extra: dict[str, Target] = field(default_factory=dict)

    @property
    def log(self) -> str:
        return self.web.log.read_text(errors="replace")

    def server_with(self, **settings: str) -> Target:
        """Another web server on the same database and Redis, kept for later tests."""
        key = str(sorted(settings.items()))
        if key not in self.extra:
            env = {**self.web.env, **SETTINGS, **settings}
            service = self.running.enter_context(servers.web(self.folder, env))
            self.extra[key] = self.running.enter_context(
                closing(Target(service.env["BASE_URL"]))
            )
        return self.extra[key]

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.services["DATABASE_URL"])
        try:
            with connection.cursor() as cursor:
                cursor.execute(query, values)
                return list(cursor.fetchall())
        finally:
            connection.close()

    @property
    def redis(self) -> Redis:
        return Redis.from_url(self.services["REDIS_URL"])


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        services = running.enter_context(servers.postgresql(folder)).env
        services |= running.enter_context(servers.redis(folder)).env
        settings = {**services, **servers.production(folder), **SETTINGS}
        web = running.enter_context(servers.web(folder, settings))
        target = running.enter_context(closing(Target(web.env["BASE_URL"])))
        yield Lab(folder, services, web, running, target)


@pytest.fixture
def target(lab: Lab) -> Target:
    return lab.target


Report = Callable[[str, str, str], None]


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Report:
    """Call with the threat's number, the attack and the result."""

    def add(threat: str, tried: str, seen: str) -> None:
        # A property of the test reaches the summary from a parallel process, too.
        record_property("attack", [threat, tried, seen])

    return add


def pytest_terminal_summary(terminalreporter: Any) -> None:
    rows = [
        row
        for outcome in ("passed", "failed")
        for test in terminalreporter.getreports(outcome)
        for name, row in test.user_properties
        if name == "attack" and test.when == "call"
    ]
    if not rows:
        return
    terminalreporter.section("tests.attacks")
    for threat, tried, seen in sorted(rows, key=lambda row: (int(row[0][1:]), row)):
        terminalreporter.write_line(f"{threat:<4} {tried:<62} {seen}")


def new_superuser(lab: Lab) -> tuple[str, str]:
    """The number and the password."""
    phone, password = new_phone_number(), secrets.token_urlsafe(16)
    env = {
        "DJANGO_SUPERUSER_PHONE_NUMBER": phone,
        "DJANGO_SUPERUSER_PASSWORD": password,
    }
    manage(lab, "createsuperuser", "--noinput", **env)
    return phone, password


def manage(lab: Lab, *arguments: str, **env: str) -> str:
    """Run manage.py with the settings of the server; return what it prints."""
    env = {
        **os.environ,
        **lab.web.env,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": os.devnull,
        **env,
    }
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, check=True, cwd=servers.ROOT, env=env, capture_output=True, text=True
    ).stdout


@pytest.fixture(scope="module")
def staff(lab: Lab) -> Browser:
    """A superuser who is signed in to the admin site."""
    phone, password = new_superuser(lab)
    browser = Browser(lab.target)
    login = "/admin/login/?next=https://evil.example/"
    answer = browser.post(login, username=phone, password=password)
    assert answer.status_code == 302, answer.text
    assert "evil.example" not in answer.headers["Location"]
    lab.running.callback(browser.close)
    return browser


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    with ExitStack() as running:
        yield Plant(running)
