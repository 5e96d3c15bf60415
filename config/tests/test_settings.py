"""Settings come from the environment, and are documented."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from config import limit_defaults

ROOT = Path(settings.BASE_DIR)
SOURCE = (ROOT / "config" / "settings.py").read_text(encoding="utf-8")


def read_settings(names: list[str], **environment: str) -> dict[str, Any]:
    """Values that a process with these variables reads from its environment."""
    code = "from config import settings as s"
    code += f"; print({{n: getattr(s, n) for n in {names}}})"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = ast.literal_eval(result.stdout)
    return found


def test_env_example_names_every_setting_and_no_other() -> None:
    read = {*re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', SOURCE), *limit_defaults.DEFAULTS}
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    read |= set(re.findall(r"\$\{([A-Z_]+)", compose))
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) == read


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_standby_is_configured_as_the_primary(scheme: str) -> None:
    url = f"{scheme}://user:secret@/referral?host=one,two&target_session_attrs="
    found = read_settings(
        ["DATABASES"],
        DEBUG="on",
        DATABASE_URL=f"{url}read-write",
        REPLICA_DATABASE_URL=f"{url}standby",
    )["DATABASES"]
    primary, standby = found["default"], found["replica"]
    assert primary["OPTIONS"] == {
        **standby["OPTIONS"],
        "target_session_attrs": "read-write",
    }
    assert standby["OPTIONS"]["target_session_attrs"] == "standby"
    assert standby["OPTIONS"]["host"] == "one,two"
    # A cursor on the server is lost behind PgBouncer.
    assert primary["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert standby["DISABLE_SERVER_SIDE_CURSORS"] is True


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("config", "users", "referrals", "webhooks", "limits")
        for path in (ROOT / folder).rglob("*.py")
        if "os.environ" in path.read_text(encoding="utf-8")
        and "tests" not in path.parts
        # These set what others read.
        and path.name not in {"wsgi.py", "settings_test.py", "gunicorn.conf.py"}
    }
    assert readers == {"config/env.py", "config/settings.py"}


@pytest.mark.parametrize(
    ("debug", "given", "is_asked"),
    [("off", "", True), ("off", "off", False), ("on", "", False), ("on", "on", True)],
)
def test_the_second_factor_is_asked_for_unless_debug_is_on(
    debug: str, given: str, is_asked: bool
) -> None:
    env = {"DEBUG": debug, "ADMIN_SECOND_FACTOR": given, "ENV_FILE": os.devnull}
    program = "from config.settings import ADMIN_SECOND_FACTOR as on; print(on)"
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == str(is_asked)


def test_database_url_may_set_options_of_the_connection() -> None:
    url = "postgresql://host/name?keepalives_idle=60&target_session_attrs=read-write"
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "from config.settings import DATABASES; print(DATABASES)",
        ],
        cwd=ROOT,
        env={**os.environ, "ENV_FILE": os.devnull, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    options = ast.literal_eval(result.stdout)["default"]["OPTIONS"]
    assert int(options["keepalives_idle"]) == 60
    assert options["target_session_attrs"] == "read-write"
    assert options["connect_timeout"] == 2


COOKIES = ["SESSION_COOKIE", "CSRF_COOKIE", "LANGUAGE_COOKIE"]


@pytest.mark.parametrize(("https_only", "prefix"), [("on", "__Host-"), ("off", "")])
def test_cookies_have_the_prefix_where_there_is_tls(
    https_only: str, prefix: str
) -> None:
    names = [f"{cookie}_NAME" for cookie in COOKIES]
    read = read_settings(names, HTTPS_ONLY=https_only)
    plain = ["sessionid", "csrftoken", "django_language"]
    assert list(read.values()) == [prefix + name for name in plain]


def test_cookies_with_the_prefix_have_the_attributes_that_it_needs() -> None:
    needed = {"SECURE": True, "PATH": "/", "DOMAIN": None}
    names = [f"{cookie}_{attribute}" for cookie in COOKIES for attribute in needed]
    read = read_settings(
        [n for n in names if not n.endswith(("PATH", "DOMAIN"))], HTTPS_ONLY="on"
    )
    assert set(read.values()) == {True}
    for name in names:  # nothing sets these, and Django's defaults are right
        if name.endswith(("PATH", "DOMAIN")):
            assert getattr(settings, name) == needed[name.rpartition("_")[2]], name


def test_dotted_paths_of_before_still_start() -> None:
    found = read_settings(
        ["SMS_BACKEND", "SMS_CHAIN"],
        DEBUG="on",
        SMS_BACKEND="users.sms.chain.ChainBackend",
        SMS_CHAIN="users.sms.smsaero.SmsAeroBackend,acme_users.sms.Ours",
    )
    assert found == {
        "SMS_BACKEND": "users.channels.chain.ChainBackend",
        "SMS_CHAIN": ["users.channels.smsaero.SmsAeroBackend", "acme_users.sms.Ours"],
    }
