"""Every limit on sends over HTTP: what it lets through, and what it refuses."""

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from config.env import Limit
from conftest import ALICE, BORIS, Clock, error_of
from users.challenges.proof_of_work import ProofOfWork
from users.challenges.tests.test_proof_of_work import solve
from users.channels.exceptions import MessageRefused
from users.channels.memory import MemoryBackend, Message
from users.login.clients import issue_known_device_token
from users.login.tests.conftest import at, number, refused_by, send
from users.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("changeable_limits")]


def test_sends_from_one_address(settings: LazySettings, outbox: list[Message]) -> None:
    settings.LIMITS["sends_per_address"] = Limit(3, 3600)
    client = at("192.0.2.1")
    for n in range(3):
        assert send(client, number(n)).status_code == 200
    assert refused_by(send(client, number(4))) == "sends_per_address"
    assert send(at("192.0.2.2"), number(4)).status_code == 200
    assert len(outbox) == 4


def test_different_numbers_from_one_address(settings: LazySettings) -> None:
    settings.LIMITS["phones_per_address"] = Limit(3, 3600)
    for n in range(3):
        assert send(at("192.0.2.1"), number(n)).status_code == 200
    assert refused_by(send(at("192.0.2.1"), number(3))) == "phones_per_address"


def test_one_network_leaves_a_country_sends_for_others(settings: LazySettings) -> None:
    settings.LIMITS["sends_per_network_and_country"] = Limit(2, 3600)
    settings.LIMITS["sends_per_country"] = Limit(3, 3600)
    for n in range(2):
        assert send(at(f"192.0.2.{n}"), f"+7701234567{n}").status_code == 200
    response = send(at("192.0.2.9"), "+77012345679")
    assert refused_by(response) == "sends_per_network_and_country"
    assert send(at("192.0.2.9"), ALICE).status_code == 200
    assert send(at("198.51.100.1"), "+77012345679").status_code == 200


@pytest.mark.parametrize(
    ("limit", "addresses"),
    [
        ("sends_by_strangers", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
        ("sends_per_network", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
        ("sends_per_phone_and_address", ["192.0.2.1", "192.0.2.1", "192.0.2.1"]),
        ("sends", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
    ],
)
def test_sends_to_one_number(
    settings: LazySettings, clock: Clock, limit: str, addresses: list[str]
) -> None:
    settings.LIMITS[limit] = Limit(2, 86_400)
    settings.LOGIN_CODE_RESEND_SECONDS = [1]
    for address in addresses[:2]:
        assert send(at(address), ALICE).status_code == 200
        clock.pass_seconds(1)
    assert refused_by(send(at(addresses[2]), ALICE)) == limit


def test_sends_to_one_country(settings: LazySettings) -> None:
    settings.LIMITS["sends_per_country"] = Limit(1, 3600)
    assert send(at("192.0.2.1"), "+77012345678").status_code == 200
    response = send(at("198.51.100.1"), "+77012345679")
    assert refused_by(response) == "sends_per_country"
    for n in range(3):  # the country of PHONE_DEFAULT_REGION
        assert send(at("192.0.2.1"), number(n)).status_code == 200


@pytest.mark.parametrize(
    "phone_number",
    ["+74951234567", "+78001234567", "+78091234567", "+18002345678", "+34803123456"],
)
def test_numbers_that_cannot_receive_sms_cost_nothing(
    outbox: list[Message], phone_number: str
) -> None:
    response = send(at("192.0.2.1"), phone_number)
    assert response.status_code == 400
    assert error_of(response)["code"] == "number_cannot_receive_sms"
    assert outbox == []


def test_the_kinds_of_numbers_are_a_setting(settings: LazySettings) -> None:
    settings.SMS_NUMBER_TYPES = ["fixed_line"]
    assert send(at("192.0.2.1"), "+74951234567").status_code == 200


def test_half_of_the_sends_rings_an_alarm_once(
    settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LIMITS["sends"] = Limit(6, 3600)
    for n in range(2):
        send(at("192.0.2.1"), number(n))
    assert "LIMIT_SENDS" not in caplog.text
    for n in range(2, 6):
        send(at("192.0.2.1"), number(n))
    assert caplog.text.count("LIMIT_SENDS") == 1


def test_asking_while_a_code_lives_costs_the_address_a_send(
    settings: LazySettings,
) -> None:
    settings.LIMITS["sends_per_address"] = Limit(2, 3600)
    for n in range(3):
        send(at("192.0.2.1"), number(n)) if n < 2 else send(at("192.0.2.3"), number(n))
    for n in range(2):
        for _ in range(3):  # again during the same wait tells nothing new
            assert refused_by(send(at("192.0.2.2"), number(n))) == "code_resend"
    assert refused_by(send(at("192.0.2.2"), number(2))) == "sends_per_address"


@pytest.mark.parametrize(
    "limit",
    [
        "sends_per_address",
        "phones_per_address",
        "sends_per_network",
        "sends_by_strangers",
    ],
)
def test_strangers_are_challenged_before_a_shared_limit_refuses(
    settings: LazySettings, limit: str
) -> None:
    settings.CHALLENGE_BACKEND = "users.challenges.proof_of_work.ProofOfWork"
    settings.LIMITS[limit] = Limit(4, 3600)
    for n in range(2):
        assert send(at("192.0.2.1"), number(n)).status_code == 200
    for n in range(2, 4):
        task = error_of(send(at("192.0.2.1"), number(n)))
        assert (task["code"], task["limit"]) == ("challenge_required", limit)
        body = {"challenge": solve(task["challenge"])}
        assert send(at("192.0.2.1"), number(n), **body).status_code == 200
    refusal = send(at("192.0.2.1"), number(5), challenge=solve(ProofOfWork().task()))
    assert refused_by(refusal) == limit


def test_a_refused_send_does_not_make_the_number_wait(settings: LazySettings) -> None:
    settings.LIMITS["sends_per_address"] = Limit(1, 3600)
    send(at("192.0.2.1"), BORIS)
    assert refused_by(send(at("192.0.2.1"), ALICE)) == "sends_per_address"
    assert send(at("192.0.2.2"), ALICE).status_code == 200


def test_waits_between_sends_grow(clock: Clock) -> None:
    for wait in (60, 120, 300, 300):
        assert send(at("192.0.2.1"), ALICE).json()["resend_in"] == wait
        clock.pass_seconds(wait)


def test_countries_that_are_not_served(
    settings: LazySettings, outbox: list[Message], alice: User
) -> None:
    settings.SMS_COUNTRIES = ["KZ"]
    for phone_number in (ALICE, BORIS):
        response = send(at("192.0.2.1"), phone_number)
        assert response.status_code == 400
        assert error_of(response)["code"] == "country_not_served"
    assert send(at("192.0.2.1"), "+77012345678").status_code == 200
    assert len(outbox) == 1


@pytest.mark.parametrize("is_known", [False, True])
def test_messages_that_the_provider_refuses_are_bounded(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    """Of one client; the number itself loses nothing, and may ask again at once."""

    def refuse(*_: object) -> None:
        asked.append(1)
        raise MessageRefused

    settings.LIMITS["sends_per_device"] = Limit(2, 3600)
    settings.LIMITS["sends_per_address"] = Limit(3, 3600)
    settings.LOGIN_CODE_RESEND_SECONDS = [1]
    asked: list[int] = []
    known = {}
    if is_known:
        token = issue_known_device_token(User.objects.create_user(ALICE))
        known = {"device_token": token}
    with monkeypatch.context() as patch:
        patch.setattr(MemoryBackend, "send", refuse)
        for _ in range(8):
            response = send(at("192.0.2.1"), ALICE, **known)
    assert refused_by(response) == "sends_per_address"
    assert len(asked) == (5 if is_known else 3)
    assert send(at("192.0.2.2"), ALICE).status_code == 200


def test_the_kill_switch(outbox: list[Message]) -> None:
    call_command("sending", "stop")
    response = send(at("192.0.2.1"), ALICE)
    assert response.status_code == 503
    assert error_of(response)["code"] == "sms_unavailable"
    call_command("sending", "start")
    call_command("sending", "status")
    assert send(at("192.0.2.1"), ALICE).status_code == 200
    assert len(outbox) == 1
