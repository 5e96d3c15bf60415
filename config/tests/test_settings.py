"""Settings come from the environment, are documented, and refuse to be half set."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from config import env, limits
from config.checks import check_before_serving
from conftest import Clock

# Django 6.1 asks the database what it can do when models are checked.
pytestmark = pytest.mark.django_db

ROOT = Path(settings.BASE_DIR)
SOURCE = (ROOT / "config" / "settings.py").read_text(encoding="utf-8")

WEBHOOK_SECRET = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

PRODUCTION = {
    "ADMIN_SECOND_FACTOR": True,
    "DEBUG": False,
    "SECRET_KEY": "0123456789" * 5,
    "ALLOWED_HOSTS": ["example.com"],
    "DATABASE_IS_EMBEDDED": False,
    "REDIS_URL": "redis://localhost/0",
    "REDIS_SENTINELS": [],
    "SHOW_LOGIN_CODES": False,
    "SMS_BACKEND": "users.channels.memory.MemoryBackend",
}

FINGERPRINT = ":".join(["0A"] * 32)

REAL = "users.login.tests.test_request_code.RealBackend"
AERO = {"SMS_BACKEND": "users.channels.smsaero.SmsAeroBackend"}
WEBHOOK = {"SMS_BACKEND": "users.channels.webhook.WebhookBackend"}
TELEGRAM = {"SMS_BACKEND": "users.channels.telegram.TelegramBackend"}
CHAIN = {"SMS_BACKEND": "users.channels.chain.ChainBackend"}


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


def configure(settings: LazySettings, **changes: Any) -> None:
    for name, value in {**PRODUCTION, **changes}.items():
        setattr(settings, name, value)


def test_env_example_names_every_setting_and_no_other() -> None:
    read = {*re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', SOURCE), *limits.DEFAULTS}
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    read |= set(re.findall(r"\$\{([A-Z_]+)", compose))
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) == read


@pytest.mark.parametrize("name", ["DATABASE_URL", "REPLICA_DATABASE_URL"])
@pytest.mark.parametrize("scheme", ["cockroachdb://", "mysql://", "oracle://", ""])
def test_a_url_of_another_database_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, scheme: str
) -> None:
    """dj_database_url knows these, so they would be read as PostgreSQL's."""
    monkeypatch.setenv(name, f"{scheme}user:secret@host/referral")
    with pytest.raises(ImproperlyConfigured) as refused:
        env.database(name, "")
    assert name in str(refused.value)
    assert "is not supported" in str(refused.value)
    assert "secret" not in str(refused.value)


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
    ("change", "id_", "name"),
    [
        ({"SECRET_KEY": settings.DEVELOPMENT_SECRET_KEY}, "config.E001", "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "config.E002", "SECRET_KEY"),
        ({"SECRET_KEY": "a" * 50}, "config.E030", "SECRET_KEY"),
        ({"SECRET_KEY": "abcd" * 13}, "config.E030", "SECRET_KEY"),
        (
            {"SECRET_KEY": "django-insecure-" + "0123456789" * 5},
            "config.E030",
            "SECRET_KEY",
        ),
        ({"ALLOWED_HOSTS": []}, "config.E003", "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": ["example.com", "*"]}, "config.E031", "ALLOWED_HOSTS"),
        ({"DATABASE_IS_EMBEDDED": True}, "config.E004", "DATABASE_URL"),
        ({"REDIS_URL": ""}, "config.E005", "REDIS_URL"),
        ({"PHONE_DEFAULT_REGION": "XX"}, "config.E006", "PHONE_DEFAULT_REGION"),
        ({"SMS_BACKEND": "no.such.Backend"}, "config.E007", "SMS_BACKEND"),
        (
            {
                "SMS_BACKEND": "users.login.tests.test_request_code.RealBackend",
                "SHOW_LOGIN_CODES": True,
            },
            "config.E008",
            "SHOW_LOGIN_CODES",
        ),
        *(
            (
                {"REDIS_SENTINELS": [("one", 26379)], "REDIS_URL": url},
                "config.E011",
                "REDIS_SENTINELS",
            )
            for url in ("rediss://referral/0", "unix:///run/redis.sock")
        ),
        (
            {"REDIS_IS_CLUSTER": True, "REDIS_URL": "redis+cluster://one:1/1"},
            "config.E051",
            "REDIS_URL",
        ),
        ({"METRICS_TOKEN": "x" * 19}, "config.E023", "METRICS_TOKEN"),
        ({"WEBHOOK_URL": "https://example.com/"}, "config.E020", "WEBHOOK_URL"),
        ({"WEBHOOK_SECRETS": [WEBHOOK_SECRET]}, "config.E020", "WEBHOOK_URL"),
        (
            {"WEBHOOK_URL": "http://a.example/", "WEBHOOK_SECRETS": [WEBHOOK_SECRET]},
            "config.E021",
            "WEBHOOK_URL",
        ),
        *(
            (
                {
                    "WEBHOOK_URL": "https://example.com/",
                    "WEBHOOK_SECRETS": [WEBHOOK_SECRET, secret],
                },
                "config.E022",
                "WEBHOOK_SECRET",
            )
            for secret in ("whsec_c2hvcnQ=", "whsec_no base64!", WEBHOOK_SECRET[6:])
        ),
        (AERO, "config.E009", "SMS_AERO_EMAIL and SMS_AERO_API_KEY must be set"),
        (
            {**AERO, "SMS_AERO_EMAIL": "a@example.com"},
            "config.E009",
            "SMS_AERO_API_KEY must be set",
        ),
        (
            {
                **AERO,
                "SMS_AERO_EMAIL": "a@example.com",
                "SMS_AERO_API_KEY": "key",
                "SMS_AERO_URL": "http://gate.smsaero.ru/v2",
            },
            "config.E009",
            "SMS_AERO_URL must begin with https://",
        ),
        (WEBHOOK, "config.E009", "SMS_WEBHOOK_URL and SMS_WEBHOOK_SECRET must be set"),
        (
            {**WEBHOOK, "SMS_WEBHOOK_URL": "//[", "SMS_WEBHOOK_SECRET": "secret"},
            "config.E009",
            "SMS_WEBHOOK_URL is not a URL",
        ),
        (TELEGRAM, "config.E009", "TELEGRAM_GATEWAY_TOKEN must be set for Telegram"),
        (
            {
                **TELEGRAM,
                "TELEGRAM_GATEWAY_TOKEN": "token",
                "TELEGRAM_GATEWAY_CALLBACK_URL": "http://example.com/",
            },
            "config.E009",
            "TELEGRAM_GATEWAY_CALLBACK_URL must begin with https://",
        ),
        ({**CHAIN, "SMS_CHAIN": []}, "config.E009", "SMS_CHAIN must list two"),
        (
            {**CHAIN, "SMS_CHAIN": ["no.such.Backend", REAL]},
            "config.E009",
            "SMS_CHAIN: No module",
        ),
        (
            {**CHAIN, "SMS_CHAIN": [REAL, "users.channels.console.ConsoleBackend"]},
            "config.E009",
            "SMS_CHAIN: users.channels.console.ConsoleBackend sends nothing",
        ),
        (
            {**CHAIN, "SMS_CHAIN": [REAL, CHAIN["SMS_BACKEND"]]},
            "config.E009",
            "SMS_CHAIN: users.channels.chain.ChainBackend sends nothing",
        ),
        (
            {**CHAIN, "SMS_CHAIN": [REAL, "users.channels.smsaero.SmsAeroBackend"]},
            "config.E009",
            "SMS_AERO_EMAIL and",
        ),
        (
            {"HTTPS_ONLY": True, "PUBLIC_URL": "http://referral.example.com"},
            "config.E050",
            "PUBLIC_URL",
        ),
        ({"TEST_NUMBERS": ["+79990000001:1234"]}, "config.E010", "TEST_NUMBERS"),
        *(
            ({name: "short"}, "config.E040", name)
            for name in ("INVITEE_KEY_SECRET", "PSEUDONYM_SECRET")
        ),
    ],
)
def test_half_set_up_the_service_does_not_start(
    settings: LazySettings, change: dict[str, Any], id_: str, name: str
) -> None:
    configure(settings, **change)
    with pytest.raises(ImproperlyConfigured) as refusal:
        check_before_serving()
    text = str(refusal.value)
    assert text.startswith(name)
    assert text.endswith(f"({id_})")
    assert "\n" not in text


def test_set_up_it_starts(settings: LazySettings) -> None:
    configure(settings)
    assert [found.id for found in run_checks()] == []


def test_the_service_starts_with_sentinels(settings: LazySettings) -> None:
    configure(settings, REDIS_SENTINELS=[("one", 26379)])
    assert [found.id for found in run_checks()] == []


def test_the_service_starts_with_webhooks(settings: LazySettings) -> None:
    url = "https://receiver.example/hook"
    webhooks = {"WEBHOOK_URL": url, "WEBHOOK_SECRETS": [WEBHOOK_SECRET] * 2}
    configure(settings, **webhooks, INVITEE_KEY_SECRET="x" * 50)
    assert [found.id for found in run_checks()] == []


def test_webhooks_whose_keys_end_with_secret_key_are_warned_of(
    settings: LazySettings,
) -> None:
    url = "https://receiver.example/hook"
    configure(settings, WEBHOOK_URL=url, WEBHOOK_SECRETS=[WEBHOOK_SECRET])
    (warning,) = run_checks()
    assert (warning.id, warning.level) == ("config.W040", 30)
    assert "set it to the current SECRET_KEY" in warning.msg


def test_shown_codes_are_warned_of(
    settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    configure(settings, SHOW_LOGIN_CODES=True)
    check_before_serving()
    assert "anyone can sign in as anyone" in caplog.text
    assert "no code will reach a phone" in caplog.text


def test_sms_to_every_country_are_warned_of(settings: LazySettings) -> None:
    configure(settings, SMS_BACKEND=REAL, SMS_COUNTRIES=[])
    (warning,) = run_checks()
    assert (warning.id, warning.level) == ("config.W030", 30)
    configure(settings, SMS_BACKEND=REAL, SMS_COUNTRIES=["RU"])
    assert run_checks() == []


def test_a_chain_that_is_not_used_is_warned_of(settings: LazySettings) -> None:
    configure(settings, SMS_CHAIN=[REAL, REAL])
    (warning,) = run_checks()
    assert (warning.id, warning.level) == ("config.W032", 30)
    assert "SMS_BACKEND is not users.channels.chain.ChainBackend" in warning.msg


@pytest.mark.parametrize(
    "typo", [{"SMS_BACKEND": "no.such.Backend"}, {**CHAIN, "SMS_CHAIN": [REAL, "no.x"]}]
)
def test_a_backend_that_does_not_exist_is_named_before_deployment_too(
    settings: LazySettings, typo: dict[str, Any]
) -> None:
    configure(settings, **typo)
    found = run_checks(include_deployment_checks=True)
    assert {check.id for check in found} & {"config.E007", "config.E009"}


def test_live_test_numbers_are_warned_of_masked(
    settings: LazySettings, caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    numbers = ["+79990000001:1234:2026-11-21", "+79990000002:5678:2026-11-20"]
    configure(settings, TEST_NUMBERS=numbers)
    check_before_serving()
    assert "TEST_NUMBERS: 1 sign in without an SMS" in caplog.text
    assert "+7999•••••01 until 2026-11-21." in caplog.text
    assert "1234" not in caplog.text


def test_a_password_alone_for_the_admin_site_is_warned_of(
    settings: LazySettings,
) -> None:
    configure(settings, ADMIN_SECOND_FACTOR=False)
    assert [found.id for found in run_checks()] == ["config.W005"]


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


def test_an_sms_that_would_be_billed_as_two_is_warned_of(
    settings: LazySettings,
) -> None:
    configure(settings, SMS_WEBOTP_DOMAIN="referral.example.com")
    assert run_checks() == []
    configure(settings, SMS_WEBOTP_DOMAIN="d" * 40 + ".example.com")
    (warning,) = run_checks()
    assert (warning.id, warning.level) == ("config.W003", 30)
    assert "Русский" in warning.msg


def test_nothing_set_is_refused_by_the_server_itself() -> None:
    """Not only by the checks: the module that gunicorn loads must run them."""
    kept = {"PATH", "LANG", "SYSTEMROOT"}
    bare = {name: value for name, value in os.environ.items() if name in kept}
    result = subprocess.run(
        [sys.executable, "-c", "import config.wsgi"],
        cwd=ROOT,
        env={**bare, "ENV_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    for number in (1, 3, 4, 5):
        assert f"(config.E00{number})" in result.stderr


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


def test_a_secret_may_stand_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "x"
    file.write_text("from the file\n")
    monkeypatch.setenv("X_FILE", str(file))
    assert env.secret("X") == "from the file"
    monkeypatch.setenv("X", "from the environment")
    assert env.secret("X") == "from the environment"
    monkeypatch.delenv("X")
    file.write_text("\n")
    assert env.secret("X", "default") == "default"
    file.unlink()
    with pytest.raises(ImproperlyConfigured, match=r"^X_FILE: .* No such file"):
        env.secret("X")


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda: env.flag("X", default=False), "maybe"),
        (lambda: env.whole("X", 1, low=1, high=9), "one"),
        (lambda: env.whole("X", 1, low=1, high=9), "10"),
        (lambda: env.span("X", "1,2"), "2,1"),
        (lambda: env.span("X", "1,2"), "1,2,3"),
        (lambda: env.span("X", "1,2"), "-1"),
        (lambda: env.span("X", "1,2"), "soon"),
        (lambda: env.addresses("X"), "one:26379,two"),
        (lambda: env.addresses("X"), ":26379"),
        *(
            (lambda: env.base_url("X"), url)
            for url in (
                "referral.example.com",
                "https://",
                "//referral.example.com",
                "ftp://referral.example.com",
                "https://referral.example.com/referral",
                "https://referral.example.com/?a=1",
                "https://referral.example.com#top",
                "https://user@referral.example.com",
                "https://referral.example.com:port",
            )
        ),
        *(
            (lambda: env.origins("X"), origin)
            for origin in (
                "*",
                "null",
                "app.example.com",
                "https://*.example.com",
                "https://app.example.com/",
                "https://app.example.com/path",
                "https://app.example.com https://b.example.com",
                "https://a.example.com,b.example.com",
            )
        ),
        *(
            (lambda: env.android_apps("X"), app)
            for app in (
                "com.example.app",
                FINGERPRINT,
                f"app:{FINGERPRINT}",
                f"com.example.app:{FINGERPRINT[3:]}",
                f"com.example.app:{FINGERPRINT}:0A",
                f"com.example.app:{'0G' + FINGERPRINT[2:]}",
                f"com.example.app:{FINGERPRINT.replace(':', '')}",
            )
        ),
        *(
            (lambda: env.apple_apps("X"), app)
            for app in (
                "com.example.app",
                "ABCDE12345",
                "abcde12345.com.example.app",
                "ABCDE1234.com.example.app",
                "ABCDE12345.com.example.*",
            )
        ),
    ],
)
def test_a_bad_value_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, read: Any, value: str
) -> None:
    monkeypatch.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match=r"^X: "):
        read()


@pytest.mark.parametrize(
    ("read", "value", "result"),
    [
        (lambda: env.text("X", "d"), " ", "d"),
        (lambda: env.text("X"), " a ", "a"),
        (lambda: env.flag("X", default=True), "", True),
        (lambda: env.flag("X", default=True), "Off", False),
        (lambda: env.flag("X", default=False), "1", True),
        (lambda: env.whole("X", 4, low=1, high=9), "", 4),
        (lambda: env.whole("X", 4, low=1, high=9), "9", 9),
        (lambda: env.words("X"), " a, b ,,", ["a", "b"]),
        (lambda: env.words("X"), "", []),
        (lambda: env.addresses("X"), "", []),
        (lambda: env.addresses("X"), "one:26379, two:1", [("one", 26379), ("two", 1)]),
        (lambda: env.base_url("X"), "", ""),
        (lambda: env.base_url("X"), "https://A.example:443/", "https://a.example"),
        (lambda: env.base_url("X"), "http://[::1]:8000", "http://[::1]:8000"),
        (lambda: env.origins("X"), "", []),
        (
            lambda: env.origins("X"),
            "https://App.example.com:443, http://localhost:3000,capacitor://localhost",
            [
                "https://app.example.com",
                "http://localhost:3000",
                "capacitor://localhost",
            ],
        ),
        (
            lambda: env.android_apps("X"),
            f"com.example.a:{FINGERPRINT},com.example.b:{FINGERPRINT.lower()},"
            f"com.example.a:{FINGERPRINT[::-1]}",
            {
                "com.example.a": [FINGERPRINT, FINGERPRINT[::-1]],
                "com.example.b": [FINGERPRINT],
            },
        ),
        (
            lambda: env.apple_apps("X"),
            "ABCDE12345.com.example.app, FGHIJ67890.app",
            ["ABCDE12345.com.example.app", "FGHIJ67890.app"],
        ),
        (lambda: env.span("X", "1,2"), "", (1.0, 2.0)),
        (lambda: env.span("X", "1,2"), "0", (0.0, 0.0)),
    ],
)
def test_values_are_read(
    monkeypatch: pytest.MonkeyPatch, read: Any, value: str, result: object
) -> None:
    monkeypatch.setenv("X", value)
    assert read() == result


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
