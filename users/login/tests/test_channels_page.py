"""The code page where several channels are configured."""

import pytest
from django.conf import LazySettings
from django.test import Client

from conftest import ALICE, Clock

CONSOLE = "users.channels.console"


@pytest.fixture
def two_channels(settings: LazySettings) -> None:
    settings.SMS_BACKEND = "users.channels.chain.ChainBackend"
    settings.SMS_CHAIN = [f"{CONSOLE}.ConsoleBackend", f"{CONSOLE}.ConsoleCallBackend"]


def code_page(client: Client, **data: str) -> str:
    page = client.post("/login/", {"phone_number": ALICE, **data}, follow=True)
    return page.content.decode()


def test_people_can_choose_a_call(client: Client, two_channels: None) -> None:
    page = code_page(client)
    assert 'name="channel" value="call"' in page
    assert 'name="channel" value="sms"' in page


def test_the_page_says_which_digits_of_a_call_are_the_code(
    client: Client, two_channels: None
) -> None:
    page = code_page(client, channel="call")
    assert "You do not need to answer" in page
    assert "Last 4 digits of the number that called you" in page


def test_only_channels_that_can_carry_the_code_are_offered_after_a_code_of_before(
    client: Client, two_channels: None, settings: LazySettings
) -> None:
    settings.CALL_COUNTRIES = ["KZ"]
    code_page(Client())  # another browser asks first
    page = code_page(client)
    assert "A code was sent a moment ago" in page
    assert 'value="call"' not in page


def test_after_a_long_code_no_call_is_offered(
    client: Client, two_channels: None, settings: LazySettings, clock: Clock
) -> None:
    settings.LOGIN_CODE_LENGTH = 6
    code_page(client)
    clock.pass_seconds(60)
    code_page(Client())  # another browser asks first
    settings.LOGIN_CODE_LENGTH = 4
    page = code_page(client)
    assert "A code was sent a moment ago" in page
    assert 'value="call"' not in page


def test_with_one_channel_there_is_nothing_to_choose(client: Client) -> None:
    page = code_page(client, channel="call")
    assert 'name="channel"' not in page
    assert "Send again" in page


@pytest.mark.parametrize(
    ("backend", "text"),
    [
        ("console.ConsoleBackend", "We will send you a code by SMS."),
        (
            "console.ConsoleCallBackend",
            "the last 4 digits of the number that we call from",
        ),
        ("telegram.TelegramBackend", "We will send you a code on Telegram."),
        ("webhook.VoiceWebhookBackend", "a voice will read out your code"),
    ],
)
def test_the_first_page_says_how_the_code_comes(
    client: Client, settings: LazySettings, backend: str, text: str
) -> None:
    settings.SMS_BACKEND = f"users.channels.{backend}"
    page = client.get("/login/").content.decode()
    assert text in page
    assert ("SMS" in page) == ("SMS" in text)
