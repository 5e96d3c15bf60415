import importlib
from functools import partial

import pytest
from django.conf import LazySettings
from django.utils import translation

from conftest import ALICE
from users.channels import CodeMessage, Purpose
from users.channels.sending import send_message
from users.channels.text import fits_one_segment, last_code_text, login_code_text


def test_the_console_takes_its_time_and_prints_the_text(
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("users.channels.console.time.sleep", waits.append)
    settings.SMS_BACKEND = "users.channels.console.ConsoleBackend"
    settings.SMS_SIMULATED_DELAY = (1.0, 2.0)
    for _ in range(20):
        message = CodeMessage(
            phone_number=ALICE, code="1234", purpose=Purpose.SIGN_IN, expires_at=0
        )
        send_message(message)
    assert all(1 <= wait <= 2 for wait in waits)
    assert len(set(waits)) > 1
    assert (
        capfd.readouterr().out
        == (
            "\n"
            "  ┌─────────────────────────────────────────────────────────┐\n"
            "  │ SMS to +7999•••••01                                     │\n"
            "  │ 1234 is your sign-in code. Do not share it with anyone. │\n"
            "  └─────────────────────────────────────────────────────────┘\n"
            "\n"
        )
        * 20
    )


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("a" * 160, True),
        ("a" * 161, False),
        ("{" * 80, True),
        ("{" * 81, False),
        ("я" * 70, True),
        ("я" * 71, False),
        ("😀" * 35, True),
        ("😀" * 36, False),
        ("é" * 160, True),
        ("ё" + "a" * 70, False),
    ],
)
def test_segments_are_counted_as_they_are_billed(text: str, fits: bool) -> None:
    assert fits_one_segment(text) is fits


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("domain", ["", "referral.example.com"])
def test_the_longest_text_is_one_segment(
    settings: LazySettings, language: str, domain: str
) -> None:
    settings.SMS_WEBOTP_DOMAIN = domain
    texts = [login_code_text]
    texts += [partial(last_code_text, 60 * minutes) for minutes in (91, 92, 95)]
    texts += [partial(last_code_text, 3600 * hours) for hours in (21, 22, 25)]
    with translation.override(language):
        for text in texts:
            assert fits_one_segment(text() % {"code": "12345678"})


def test_the_last_line_tells_browsers_whose_code_it_is(settings: LazySettings) -> None:
    settings.SMS_WEBOTP_DOMAIN = "example.com"
    assert login_code_text().splitlines() == [
        "%(code)s is your sign-in code.",
        "@example.com #%(code)s",
    ]


def test_backends_written_for_the_old_name_still_work() -> None:
    from users.channels import exceptions  # noqa: PLC0415  after the old name's import
    from users.sms import Sms, SmsBackend  # noqa: PLC0415

    old = importlib.import_module("users.sms.exceptions")

    assert old.SmsUnavailable is exceptions.SmsUnavailable
    assert issubclass(SmsBackend, object)
    assert {"phone_number", "text", "key", "deadline", "tried"} <= set(dir(Sms))
