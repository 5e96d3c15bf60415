"""A provider's URL that leads elsewhere, or to nothing that takes messages."""

import logging
import time

import pytest
from django.conf import LazySettings

from conftest import ALICE
from users.channels import CodeMessage, Purpose, sending
from users.channels.exceptions import SmsUnavailable
from users.channels.http import Answer
from users.phones import PhoneNumber

BACKENDS = {
    "smsaero.SmsAeroBackend": "SMS_AERO_URL",
    "smsaero.SmsAeroTelegramBackend": "SMS_AERO_URL",
    "telegram.TelegramBackend": "TELEGRAM_GATEWAY_URL",
    "ucaller.UCallerBackend": "UCALLER_URL",
    "webhook.WebhookBackend": "SMS_WEBHOOK_URL",
    "webhook.VoiceWebhookBackend": "VOICE_WEBHOOK_URL",
}


@pytest.mark.parametrize("status", [301, 308, 404, 405, 410])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_wrong_address_is_an_error_for_operators(
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    backend: str,
    status: int,
) -> None:
    settings.SMS_BACKEND = f"users.channels.{backend}"
    module = settings.SMS_BACKEND.rpartition(".")[0]
    monkeypatch.setattr(f"{module}.post", lambda *args, **kwargs: Answer(status, b""))
    message = CodeMessage(
        phone_number=PhoneNumber(ALICE),
        code="1234",
        purpose=Purpose.SIGN_IN,
        expires_at=time.time() + 300,
    )
    # Not MessageRefused: the fault is not this message's, so the provider is skipped
    # after some of them.
    with pytest.raises(SmsUnavailable):
        sending.send_message(message)
    errors = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    assert errors == [f"{BACKENDS[backend]} is wrong: it answered {status}"]
