"""Whether a code arrived: asked of the provider, told to apps and on the code page."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from rest_framework.test import APIClient

from config.env import Limit
from config.monitoring.metrics import collected
from conftest import ALICE, BORIS, Clock, error_of
from users.channels import Backend, Channel, CodeMessage
from users.channels.exceptions import SmsUnsure
from users.channels.memory import MemoryBackend
from users.channels.tests.providers import EMAIL, KEY, REFUSALS, Provider
from users.channels.tests.telegram_gateway import (
    STATUS,
    TOKEN,
    Gateway,
)
from users.channels.tests.ucaller import KEY as CALLER_KEY
from users.channels.tests.ucaller import SERVICE, UCaller
from users.models import User

URL = "/api/auth/request-code/"
AERO = "users.channels.smsaero.SmsAeroBackend"
CALLER = "users.channels.ucaller.UCallerBackend"
TELEGRAM = "users.channels.telegram.TelegramBackend"


@pytest.fixture
def aero(settings: LazySettings) -> Iterator[Provider]:
    settings.SMS_BACKEND = AERO
    settings.SMS_AERO_EMAIL, settings.SMS_AERO_API_KEY = EMAIL, KEY
    with Provider().running() as server:
        settings.SMS_AERO_URL = f"{server.url}/v2"
        yield server


@pytest.fixture
def caller(settings: LazySettings, aero: Provider) -> Iterator[UCaller]:
    settings.SMS_BACKEND = "users.channels.chain.ChainBackend"
    settings.SMS_CHAIN = [CALLER, AERO]
    settings.UCALLER_SERVICE_ID, settings.UCALLER_SECRET_KEY = SERVICE, CALLER_KEY
    with UCaller().running() as server:
        settings.UCALLER_URL = server.url
        yield server


@pytest.fixture
def gateway(settings: LazySettings) -> Iterator[Gateway]:
    settings.SMS_BACKEND = TELEGRAM
    settings.TELEGRAM_GATEWAY_TOKEN = TOKEN
    with Gateway().running() as server:
        settings.TELEGRAM_GATEWAY_URL = server.url
        yield server


def ask(phone_number: str = ALICE) -> str:
    """The id of the delivery."""
    answer = APIClient().post(URL, {"phone_number": phone_number})
    delivery_id: str = answer.json()["delivery_id"]
    return delivery_id


def read(delivery_id: str) -> Any:
    return APIClient().get(f"/api/auth/deliveries/{delivery_id}/")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (0, "sent"),
        (3, "sent"),
        (8, "sent"),
        (1, "delivered"),
        (2, "failed"),
        (6, "failed"),
        ("1", "sent"),
        (None, "sent"),
    ],
)
def test_sms_aero_is_asked_what_became_of_an_sms(
    aero: Provider, clock: Clock, said: Any, status: str
) -> None:
    delivery_id = ask()
    aero.status = said
    clock.pass_seconds(5)
    response = read(delivery_id)
    assert response.status_code == 200
    assert response.json() == {"channel": "sms", "status": status}


@pytest.mark.parametrize(
    ("said", "status"),
    [(-1, "sent"), (1, "delivered"), (0, "failed"), ("?", "sent"), ([], "sent")],
)
def test_ucaller_is_asked_what_became_of_a_call(
    caller: UCaller, clock: Clock, said: Any, status: str
) -> None:
    delivery_id = ask()
    caller.call_status = said
    clock.pass_seconds(5)
    assert read(delivery_id).json() == {"channel": "call", "status": status}


def test_telegram_is_asked_too_where_it_cannot_call_back(
    gateway: Gateway, clock: Clock
) -> None:
    delivery_id = ask()
    (request_id,) = gateway.sent
    gateway.statuses[request_id] = "read"
    clock.pass_seconds(5)
    assert read(delivery_id).json() == {"channel": "telegram", "status": "delivered"}


def test_an_sms_that_was_found_by_the_list_has_a_delivery_too(
    aero: Provider, settings: LazySettings
) -> None:
    settings.SMS_TIMEOUT_SECONDS = 1.6
    aero.faults[ALICE] = ["502"]
    assert read(ask()).json() == {"channel": "sms", "status": "sent"}


@pytest.mark.parametrize("data", ["no data", None, [], {}, {"id": True}, {"id": "x"}])
def test_an_sms_without_an_id_is_sent_and_has_no_delivery(
    aero: Provider, monkeypatch: pytest.MonkeyPatch, data: Any
) -> None:
    answer = {"success": True} if data == "no data" else {"success": True, "data": data}
    monkeypatch.setitem(REFUSALS, "no id", (200, answer))
    aero.faults[ALICE] = ["no id"]
    response = APIClient().post(URL, {"phone_number": ALICE})
    assert (response.status_code, response.json()["delivery_id"]) == (200, None)


def test_a_provider_is_asked_once_in_four_seconds_and_no_more_at_the_end(
    gateway: Gateway, clock: Clock
) -> None:
    delivery_id = ask()
    for _ in range(3):
        read(delivery_id)  # it was sent just now
    assert gateway.methods().count(STATUS) == 0
    clock.pass_seconds(5)
    for _ in range(3):
        read(delivery_id)
    assert gateway.methods().count(STATUS) == 1
    (request_id,) = gateway.sent
    gateway.statuses[request_id] = "delivered"
    for _ in range(3):
        clock.pass_seconds(5)
        read(delivery_id)
    assert gateway.methods().count(STATUS) == 2


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["silent", "500", "404"])
def test_a_provider_that_does_not_tell_fails_nothing(
    aero: Provider, clock: Clock, fault: str
) -> None:
    delivery_id = ask()
    aero.status_fault = fault
    clock.pass_seconds(5)
    started = time.perf_counter()
    assert read(delivery_id).json() == {"channel": "sms", "status": "sent"}
    assert time.perf_counter() - started < 8  # on a busy machine; it would take thirty


@pytest.mark.parametrize("delivery_id", ["0" * 32, "x", "%00", "é"])
def test_an_unknown_delivery_is_not_found(delivery_id: str) -> None:
    response = read(delivery_id)
    assert response.status_code == 404
    assert error_of(response)["code"] == "not_found"


def test_a_delivery_is_forgotten_when_its_code_expires(
    aero: Provider, clock: Clock
) -> None:
    delivery_id = ask()
    clock.pass_seconds(299)
    assert read(delivery_id).status_code == 200
    clock.pass_seconds(2)
    assert read(delivery_id).status_code == 404


def test_an_address_can_read_so_many_deliveries(settings: LazySettings) -> None:
    limit = Limit(count=2, seconds=60)
    settings.LIMITS = {**settings.LIMITS, "delivery_reads_per_address": limit}
    assert [read("0").status_code for _ in range(3)] == [404, 404, 429]
    assert error_of(read("0"))["limit"] == "delivery_reads_per_address"


def test_a_delivery_stores_neither_number_nor_code(
    gateway: Gateway, clock: Clock
) -> None:
    delivery_id = ask()
    stored = str(cache.get(f"delivery:{delivery_id}"))
    assert "TelegramBackend" in stored
    assert ALICE[1:] not in stored
    assert f"'{gateway.sent_to(ALICE)[0]}'" not in stored


def test_ids_of_two_messages_differ_and_cannot_be_guessed(
    gateway: Gateway, clock: Clock
) -> None:
    first = ask()
    clock.pass_seconds(60)
    second = ask()
    assert len(first) == len(second) == 32
    assert first != second


def test_numbers_with_and_without_an_account_get_the_same_answer(
    aero: Provider, clock: Clock, alice: User
) -> None:
    ids = [ask(ALICE), ask(BORIS)]
    aero.status = 1
    clock.pass_seconds(5)
    assert read(ids[0]).json() == read(ids[1]).json()


def test_without_reports_there_is_no_delivery(api: APIClient) -> None:
    answer = api.post(URL, {"phone_number": ALICE}).json()
    assert answer["delivery_id"] is None


def test_metrics_count_each_delivery_once(
    aero: Provider, clock: Clock, settings: LazySettings
) -> None:
    def counted(country: str, status: str) -> float:
        labels = {
            "provider": "SmsAeroBackend",
            "channel": "sms",
            "country": country,
            "status": status,
        }
        return collected().get_sample_value("referral_deliveries_total", labels) or 0

    before = counted("RU", "delivered"), counted("other", "failed")
    for number, said in ((ALICE, 1), ("+77010000001", 2)):
        delivery_id = ask(number)
        aero.status = said
        for _ in range(2):
            clock.pass_seconds(5)
            read(delivery_id)
    after = counted("RU", "delivered"), counted("other", "failed")
    assert after == (before[0] + 1, before[1] + 1)


# --- The code page --------------------------------------------------------------------


def code_page(client: Client) -> str:
    return client.get("/login/code/").content.decode()


def test_the_code_page_says_that_the_code_arrived(
    client: Client, aero: Provider, clock: Clock
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    assert 'data-delivery="/api/auth/deliveries/' in code_page(client)
    aero.status = 1
    clock.pass_seconds(5)
    page = code_page(client)
    assert ">The code has been delivered.</p>" in page
    assert "data-delivery=" not in page  # a script has nothing left to ask


@pytest.mark.parametrize(
    ("chain", "text"),
    [
        ([AERO], "Check the number, and try again."),
        ([AERO, CALLER], "Try a call."),
    ],
)
def test_the_code_page_says_what_to_do_if_it_did_not(
    client: Client,
    caller: UCaller,
    aero: Provider,
    clock: Clock,
    settings: LazySettings,
    chain: list[str],
    text: str,
) -> None:
    settings.SMS_CHAIN = chain
    client.post("/login/", {"phone_number": ALICE})
    aero.status = 2
    clock.pass_seconds(5)
    assert f">The code could not be delivered. {text}</p>" in code_page(client)


def test_the_code_page_offers_an_sms_after_a_call_that_failed(
    client: Client, caller: UCaller, clock: Clock
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    caller.call_status = 0
    clock.pass_seconds(5)
    assert ">The call could not be made. Ask for an SMS.</p>" in code_page(client)


def test_after_a_resend_the_page_speaks_of_the_new_message(
    client: Client, aero: Provider, clock: Clock
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    aero.status = 2
    clock.pass_seconds(60)
    assert "could not be delivered. Check the number, and try again.</p>" in code_page(
        client
    )
    client.post("/login/", {"phone_number": ALICE})
    assert "data-delivery=" in code_page(client)


# --- The page for the codes that change a number --------------------------------------

NEW_NUMBER = "+79990000077"


class VoiceBackend(MemoryBackend):
    channel = Channel.VOICE


CHANGE, CODES = "/profile/phone/", "/profile/phone/code/"


@pytest.fixture
def owner(boris_browser: Client, aero: Provider, clock: Clock) -> Client:
    clock.pass_seconds(3600)  # the sign-in's SMS was long ago
    return boris_browser


@pytest.mark.django_db
def test_the_page_says_of_both_codes_whether_they_arrived(
    owner: Client, aero: Provider, clock: Clock
) -> None:
    page = owner.post(CHANGE, {"phone_number": NEW_NUMBER}, follow=True)
    assert page.content.decode().count('data-delivery="/api/auth/deliveries/') == 2
    aero.status = 1
    clock.pass_seconds(5)
    page = owner.get(CODES)
    assert page.content.decode().count(">The code has been delivered.</p>") == 2
    assert "data-delivery=" not in page.content.decode()


@pytest.mark.django_db
def test_a_second_change_forgets_the_messages_of_the_first(
    owner: Client, aero: Provider, clock: Clock
) -> None:
    owner.post(CHANGE, {"phone_number": NEW_NUMBER})
    clock.pass_seconds(3600)
    first = owner.session["pending_phone_change_deliveries"]
    owner.post(CHANGE, {"phone_number": "+79990000078"})
    second = owner.session["pending_phone_change_deliveries"]
    assert not set(first) & set(second)
    assert all(second)


class UnsureBackend(Backend):
    simulated = True

    def send(self, message: CodeMessage) -> None:
        raise SmsUnsure


@pytest.mark.django_db
def test_a_second_change_forgets_the_first_even_if_its_messages_are_unsure(
    owner: Client, clock: Clock, settings: LazySettings
) -> None:
    owner.post(CHANGE, {"phone_number": NEW_NUMBER})
    clock.pass_seconds(3600)
    settings.SMS_BACKEND = f"{__name__}.UnsureBackend"
    page = owner.post(CHANGE, {"phone_number": "+79990000078"}, follow=True)
    assert owner.session["pending_phone_change_deliveries"] == [None, None]
    assert "+7 999 000-00-78" in page.content.decode()


@pytest.mark.django_db
def test_another_channel_than_the_chosen_one_is_told(
    owner: Client, settings: LazySettings
) -> None:
    settings.SMS_BACKEND = "users.channels.chain.ChainBackend"
    settings.SMS_CHAIN = [AERO, f"{__name__}.VoiceBackend"]
    settings.SMS_AERO_URL = "http://127.0.0.1:9/v2"  # nobody listens
    body = {"phone_number": NEW_NUMBER, "channel": "sms"}
    page = owner.post(CHANGE, body, follow=True).content.decode()
    assert (
        page.count("The first attempt to send the code failed. We are calling you.")
        == 1
    )


def test_without_reports_the_page_says_nothing_of_them(
    client: Client, api: APIClient
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    assert 'role="status"' not in code_page(client)
