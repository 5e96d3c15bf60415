"""What leaves for Sentry: a real client in a process of its own, a receiver here."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)

# An error inside a request that carries all that must not leave, and a line of the log.
PROGRAM = """
import logging
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
import sentry_sdk
from django.test import RequestFactory
from users.login import codes

def fail(phone_number, **kwargs):
    digits, whsec = "4242", "local-secret"
    logging.getLogger("audit").info("code.sent %s", digits)
    raise ValueError(f"no luck with {phone_number}")

codes.issue = fail
requests = RequestFactory(REMOTE_ADDR="203.0.113.9")
requests.cookies["device"] = "cookie-secret"
request = requests.post(
    "/api/auth/request-code/?code=query-secret",
    {"phone_number": "8 (999) 000-00-01", "device_token": "body-secret"},
    content_type="application/json",
    headers={"X-Device-Token": "header-secret", "X-Forwarded-For": "203.0.113.9"},
)
answered = []
application(request.environ, lambda *answer: answered.extend(answer))
status, headers = answered
assert status.startswith("500"), status
facts = {"phone": "+79990000001"}
logging.getLogger("audit").error("at %s", facts["phone"], extra={"facts": facts})
sentry_sdk.flush(10)
print(dict(headers)["X-Request-ID"])
"""


@pytest.fixture
def sentry() -> Iterator[tuple[str, list[str]]]:
    """A DSN, and the envelopes that came there."""
    envelopes: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            is_packed = self.headers["content-encoding"] == "gzip"
            envelopes.append((gzip.decompress(body) if is_packed else body).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://key@127.0.0.1:{server.server_port}/1", envelopes
        server.shutdown()


def run(program: str, **env: str) -> str:
    kept = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DEBUG": "on"}
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**kept, "DJANGO_SETTINGS_MODULE": "config.settings", **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def without_source(event: dict[str, Any]) -> dict[str, Any]:
    """The event without the lines of the program that its frames quote."""
    for value in event.get("exception", {}).get("values", []):
        for frame in value["stacktrace"]["frames"]:
            for lines in ("pre_context", "context_line", "post_context"):
                frame.pop(lines, None)
    return event


@pytest.mark.slow
def test_errors_arrive_without_what_people_told_us(
    sentry: tuple[str, list[str]], tmp_path: Path
) -> None:
    dsn, envelopes = sentry
    database = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    said = run(
        PROGRAM, SENTRY_DSN=dsn, DATABASE_URL=database, ALLOWED_HOSTS="testserver"
    )
    request_id = said.split()[-1]
    events = [json.loads(envelope.splitlines()[-1]) for envelope in envelopes]
    text = "".join(envelope.splitlines()[0] for envelope in envelopes)
    text += json.dumps([without_source(event) for event in events])
    failed = next(event for event in events if "exception" in event)
    value = failed["exception"]["values"][0]
    assert (value["type"], value["value"]) == ("ValueError", "no luck with <number>")
    assert failed["tags"]["request_id"] == request_id
    assert failed["request"] == {"method": "POST"}
    assert failed["transaction"] == "/api/auth/request-code/"
    logged = next(event for event in events if event.get("logger") == "audit")
    assert logged["logentry"]["formatted"] == "at <number>"
    for secret in ("cookie", "query", "body", "header"):
        assert f"{secret}-secret" not in text
    assert "203.0.113.9" not in text
    assert "9990000001" not in text
    assert '"vars"' not in text
    assert '"user"' not in text
    assert not any(event.get("breadcrumbs", {}).get("values") for event in events)


# A wrong host is an error in the log; a failing middleware comes before any route.
ADDRESSES = """
from unittest.mock import patch
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
import sentry_sdk
from django.middleware.locale import LocaleMiddleware
from django.test import RequestFactory

def ask(host):
    requests = RequestFactory(SERVER_NAME=host)
    environ = requests.get("/canary-path/?q=canary-query").environ
    application(environ, lambda status, headers: print(status))

ask("canary-host.example")
with patch.object(LocaleMiddleware, "process_request", side_effect=ValueError):
    ask("testserver")
sentry_sdk.flush(10)
"""


@pytest.mark.slow
def test_no_path_query_or_host_leaves(
    sentry: tuple[str, list[str]], tmp_path: Path
) -> None:
    dsn, envelopes = sentry
    said = run(ADDRESSES, SENTRY_DSN=dsn, ALLOWED_HOSTS="testserver")
    assert said.splitlines()[-2:] == ["400 Bad Request", "500 Internal Server Error"]
    events = [json.loads(envelope.splitlines()[-1]) for envelope in envelopes]
    wrong_host, failed = sorted(events, key=lambda event: "exception" in event)
    assert wrong_host["logentry"]["message"] == "DisallowedHost: -"
    assert failed["exception"]["values"][0]["type"] == "ValueError"
    text = "".join(envelope.splitlines()[0] for envelope in envelopes)
    text += json.dumps([without_source(event) for event in events])
    assert "canary" not in text


@pytest.mark.slow
def test_where_it_is_not_set_it_is_not_loaded() -> None:
    said = run("import django, sys; django.setup(); print('sentry_sdk' in sys.modules)")
    assert said.split() == ["False"]
