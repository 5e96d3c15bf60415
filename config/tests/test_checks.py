"""Half set up, the service does not start; what is doubtful, it warns of."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from config.checks import check_before_serving
from conftest import Clock

# Django 6.1 asks the database what it can do when models are checked.
pytestmark = pytest.mark.django_db

ROOT = Path(settings.BASE_DIR)

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

REAL = "users.login.tests.test_request_code.RealBackend"
AERO = {"SMS_BACKEND": "users.channels.smsaero.SmsAeroBackend"}
WEBHOOK = {"SMS_BACKEND": "users.channels.webhook.WebhookBackend"}
TELEGRAM = {"SMS_BACKEND": "users.channels.telegram.TelegramBackend"}
CHAIN = {"SMS_BACKEND": "users.channels.chain.ChainBackend"}


def configure(settings: LazySettings, **changes: Any) -> None:
    for name, value in {**PRODUCTION, **changes}.items():
        setattr(settings, name, value)


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
            "config.E052",
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
