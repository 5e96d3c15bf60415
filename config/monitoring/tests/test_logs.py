"""Log lines: JSON in production, all of them; what they name and what never."""

import inspect
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.http import HttpResponse
from django.test import Client, RequestFactory
from gunicorn.workers.base import Worker  # type: ignore[import-untyped]  # no types
from rest_framework.test import APIClient

from config.monitoring.access_log import AccessMiddleware
from config.monitoring.logs import (
    JsonFormatter,
    LineFormatter,
    hide_numbers,
    request_id,
    text_of,
)
from conftest import ALICE, ask_for_code, open_session
from tests.lab.servers import free_port
from users.models import User
from users.staff.admin_site import BY_PASSWORD

ROOT = Path(settings.BASE_DIR)


def record(**fields: Any) -> logging.LogRecord:
    text = "hello\r\n+79990000001"
    return logging.makeLogRecord(
        {"name": "a.b", "levelname": "ERROR", "msg": text, **fields}
    )


def test_a_json_line_is_one_line_with_its_request() -> None:
    reset = request_id.set("abc")
    try:
        text = JsonFormatter().format(record(facts={"limit": "sends"}))
    finally:
        request_id.reset(reset)
    line = json.loads(text)
    assert line.pop("time")
    assert line == {
        "level": "ERROR",
        "logger": "a.b",
        "event": "hello\r\n<number>",
        "request_id": "abc",
        "limit": "sends",
    }
    assert "\n" not in text


def test_a_traceback_is_a_member_without_numbers() -> None:
    try:
        raise ValueError("Key (phone_number)=(+79990000001) already exists.")
    except ValueError:
        text = JsonFormatter().format(record(exc_info=sys.exc_info()))
    exception = json.loads(text)["exception"]
    assert "test_logs.py" in exception
    assert "ValueError: Key (phone_number)=(<number>) already exists." in exception
    assert "7999" not in text


def test_a_line_for_people_ends_with_facts_and_request() -> None:
    reset = request_id.set("abc")
    try:
        text = LineFormatter().format(record(msg="hello", facts={"limit": "sends"}))
    finally:
        request_id.reset(reset)
    assert text.endswith("ERROR a.b hello limit=sends request_id=abc")
    assert LineFormatter().format(record(msg="hello")).endswith(" a.b hello")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("+79990000001", "<number>"),
        ("/x?phone=%2B79990000001", "/x?phone=<number>"),
        ("79990000001,", "<number>,"),
        ("+7 (999) 000-00-01", "<number>"),
        ("8 (999) 000-00-01", "<number>"),
        ("/8%20999%20000%2000%2001/", "/<number>/"),
        ("+7999•••••01", "+7999•••••01"),
        ("user 1234567, 12 of 1795262405", "user 1234567, 12 of 1795262405"),
    ],
)
def test_whole_numbers_are_hidden(text: str, hidden: str) -> None:
    assert hide_numbers(text) == hidden


def access_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [r.facts for r in caplog.records if r.name == "access"]  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_a_request_leaves_a_line_without_path_and_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "access")
    api = APIClient()
    api.get(f"/i/7K9QXT/?phone={ALICE}")
    api.get(f"/{ALICE}/")
    lines = access_lines(caplog)
    for line in lines:
        assert 0 < line.pop("ms") < 60_000
    assert lines == [
        {"method": "GET", "route": "i/<str:code>/", "status": 404},
        {"method": "GET", "route": "-", "status": 404},
    ]


@pytest.mark.django_db
def test_probes_leave_a_line_only_when_they_fail(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "access")
    for path in ("/healthz", "/readyz", "/metrics"):
        APIClient().get(path)
    assert [line["route"] for line in access_lines(caplog)] == ["metrics"]  # 404: off


def test_static_files_leave_a_line_only_when_they_are_missing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "access")
    for status in (200, 304, 404):
        answer = AccessMiddleware(lambda request, s=status: HttpResponse(status=s))  # type: ignore[misc]
        answer(RequestFactory().get("/static/icon.svg"))
    assert [line["status"] for line in access_lines(caplog)] == [404]


@pytest.mark.django_db
def test_lines_of_requests_can_be_switched_off(
    settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "access")
    settings.ACCESS_LOG = False
    ask_for_code(APIClient(), ALICE)
    assert access_lines(caplog) == []


PRODUCTION = {
    "PATH": os.environ["PATH"],
    "ENV_FILE": os.devnull,
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "DEBUG": "off",
}


@pytest.mark.slow
def test_all_lines_of_a_production_process_are_json() -> None:
    code = """
import django, logging
django.setup()
for name in ("django.request", "gunicorn.error", "audit", "access", "redis"):
    try:
        1 / 0
    except ZeroDivisionError:
        logging.getLogger(name).exception("from %s", name)
"""
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=PRODUCTION,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert [line["logger"] for line in lines] == [
        "django.request",
        "gunicorn.error",
        "audit",
        "access",
        "redis",
    ]
    assert all("ZeroDivisionError" in line["exception"] for line in lines)


def test_gunicorn_says_in_json_why_it_does_not_start() -> None:
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "gunicorn",
            "-c",
            "config/server/gunicorn.conf.py",
            "config.wsgi",
        ],
        cwd=ROOT,
        env={**PRODUCTION, "PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode != 0
    written = result.stderr.splitlines()
    # Beside the log, gunicorn prints the plain reason for whoever started it.
    lines = [json.loads(line) for line in written if not line.endswith(")")]
    assert any("(config.E001)" in line.get("exception", "") for line in lines)


CANARY = "+79991234567"
# Other spellings, which no pattern could tell from text.
SPELLINGS = [CANARY, "%2B79991234567", "9991234567", "999-123.45_67"]


def lines_of(caplog: pytest.LogCaptureFixture) -> str:
    """What both formatters make of all that was logged."""
    formatters = (JsonFormatter(), LineFormatter())
    return "\n".join(f.format(r) for f in formatters for r in caplog.records)


@pytest.mark.django_db
@pytest.mark.parametrize("canary", SPELLINGS)
@pytest.mark.parametrize("debug", [True, False])
def test_django_logs_routes_and_nothing_that_the_client_sent(
    settings: LazySettings,
    caplog: pytest.LogCaptureFixture,
    staff: User,
    canary: str,
    debug: bool,
) -> None:
    caplog.set_level(logging.INFO)
    settings.DEBUG = debug
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.TRUSTED_PROXY_COUNT = 1  # X-Request-ID is read
    headers = {"User-Agent": canary, "Referer": canary, "X-Request-ID": CANARY[1:]}
    browser = Client(raise_request_exception=False, headers=headers)
    checked = Client(enforce_csrf_checks=True, headers=headers)
    open_session(browser, staff, backend=BY_PASSWORD)
    for path in ("/api/users/", "/api/invite-codes/", "/api/", "/", "/i/", "/admin/"):
        browser.get(f"{path}{canary}/?search={canary}")
        browser.generic(f"M{CANARY[1:]}", f"{path}?{canary}", canary)
    browser.get(f"/admin/users/user/?q={canary}&p=x&password__startswith={canary}")
    browser.get("/", headers={"Host": f"x{CANARY[1:]}.example"})
    for body in (canary, "{" * 99_000 + canary, f'{{"phone_number": "{canary}"}}'):
        browser.post("/api/auth/verify-code/", body, content_type="application/json")
    browser.post("/login/", {"phone_number": canary * 20_000})
    browser.post("/login/", canary, content_type="multipart/form-data; boundary=x")
    checked.post(
        f"/login/?{canary}", headers={"Origin": f"https://{CANARY[1:]}.example"}
    )
    assert browser.get("/healthz")["X-Request-ID"] != CANARY[1:]
    lines = lines_of(caplog)
    written = {r.name for r in caplog.records}
    assert written >= {"access", "django.request", "django.security.csrf"}
    assert {"django.security.DisallowedHost"} <= written
    for text in (canary, CANARY[1:], CANARY[2:]):
        assert text not in lines
    assert "csrf: Origin checking failed: login/" in lines
    assert "Not Found: i/<str:code>/" in lines


FORMATTERS = [JsonFormatter(), LineFormatter()]


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_every_status_can_be_logged(formatter: logging.Formatter) -> None:
    """499 has no name in Python."""
    for status in (*range(100, 600), 0, 999, "404", None, []):
        fields = {"name": "django.request", "status_code": status}
        line = formatter.format(record(**fields, msg="%s: %s", args=("x", "999-123")))
        assert "999-123" not in line
    line = formatter.format(record(name="django.request", status_code=499))
    assert "499: -" in line


class Unprintable:
    def __str__(self) -> str:
        raise ValueError(CANARY)


@pytest.mark.parametrize("formatter", FORMATTERS)
@pytest.mark.parametrize(
    "fields",
    [
        {"msg": "%d", "args": (CANARY,)},
        {"msg": "%s %s", "args": (CANARY,)},
        {"msg": Unprintable()},
        {"msg": "x", "facts": {"value": Unprintable()}},
        {"msg": "x", "facts": CANARY},
        {"msg": "x", "exc_info": CANARY},
        {"name": "django.security.csrf", "msg": "x", "args": (Unprintable(),)},
    ],
)
def test_a_record_that_cannot_be_formatted_is_not_printed_raw(
    formatter: logging.Formatter,
    fields: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    handler.handle(record(pathname="/a/views.py", lineno=7, **fields))
    (line,) = capsys.readouterr().err.splitlines()
    assert "a line of the log could not be written: views.py:7" in line or (
        "csrf: -" in line
    )
    assert CANARY[1:] not in line


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Invalid request from ip=10.0.0.1: x 9991234567", "from ip=10.0.0.1"),
        ("Error handling request GET /9991234567?q=1", "Error handling request"),
        ("Booting worker with pid: 7", "Booting worker with pid: 7"),
    ],
)
def test_gunicorn_s_lines_end_before_they_quote_a_request(
    written: str, kept: str
) -> None:
    line = text_of(record(name="gunicorn.error", msg=written))
    assert line.endswith(kept)
    assert "9991234567" not in line


def test_gunicorn_still_words_its_lines_so() -> None:
    source = Path(inspect.getfile(Worker)).read_text(encoding="utf-8")
    assert '"Invalid request from ip={ip}: {error}"' in source
    assert '"Error handling request %s %s"' in source


@pytest.mark.slow
def test_runserver_logs_no_request_lines(capfd: pytest.CaptureFixture[str]) -> None:
    code = """
import django, logging
django.setup()
logging.getLogger("django.server").warning("GET /9991234567/ HTTP/1.1")
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=PRODUCTION, check=True)
    assert capfd.readouterr().err == ""


def test_an_error_of_ours_keeps_its_traceback(
    settings: LazySettings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("at +79991234567")

    monkeypatch.setattr(
        "django.middleware.locale.LocaleMiddleware.process_request", fail
    )
    Client(raise_request_exception=False).get("/9991234567/")
    lines = lines_of(caplog)
    assert "ZeroDivisionError: at <number>" in lines
    assert "Internal Server Error: -" in lines
    assert "9991234567" not in lines
