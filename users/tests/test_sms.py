import pytest
from django.conf import LazySettings

from conftest import ALICE
from users.sms import send_sms


def test_the_console_takes_its_time_and_prints_the_text(
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("users.sms.console.time.sleep", waits.append)
    settings.SMS_BACKEND = "users.sms.console.ConsoleBackend"
    settings.SMS_SIMULATED_DELAY = (1.0, 2.0)
    for _ in range(20):
        send_sms(phone_number=ALICE, text="1234")
    assert all(1 <= wait <= 2 for wait in waits)
    assert len(set(waits)) > 1
    assert capsys.readouterr().out == "SMS to +7999•••••01: 1234\n" * 20
