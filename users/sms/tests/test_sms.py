import pytest
from django.conf import LazySettings
from django.utils import translation

from conftest import ALICE
from users.sms import send_sms
from users.sms.text import fits_one_segment, login_code_text


def test_the_console_takes_its_time_and_prints_the_text(
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("users.sms.console.time.sleep", waits.append)
    settings.SMS_BACKEND = "users.sms.console.ConsoleBackend"
    settings.SMS_SIMULATED_DELAY = (1.0, 2.0)
    for _ in range(20):
        send_sms(phone_number=ALICE, text="1234")
    assert all(1 <= wait <= 2 for wait in waits)
    assert len(set(waits)) > 1
    assert capfd.readouterr().out == "SMS to +7999•••••01: 1234\n" * 20


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
    with translation.override(language):
        assert fits_one_segment(login_code_text() % {"code": "12345678"})


def test_the_last_line_tells_browsers_whose_code_it_is(settings: LazySettings) -> None:
    settings.SMS_WEBOTP_DOMAIN = "example.com"
    assert login_code_text().splitlines() == [
        "%(code)s is your sign-in code.",
        "@example.com #%(code)s",
    ]
