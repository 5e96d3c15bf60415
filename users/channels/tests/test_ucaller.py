"""Flash calls, and the choice between them and SMS."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, Clock, clear_cache, error_of, signed_in
from limits.budgets import used
from users.channels import breaker
from users.channels.tests.providers import SECRET, Provider
from users.channels.tests.ucaller import (
    KEY,
    LOST,
    REFUSALS,
    SERVICE,
    SILENT,
    UCaller,
)
from users.models import User

URL = "/api/auth/request-code/"
TIMEOUT_SECONDS = 1.6
CALLER = "users.channels.ucaller.UCallerBackend"
HOOK = "users.channels.webhook.WebhookBackend"
VOICE = "users.channels.webhook.VoiceWebhookBackend"


@pytest.fixture
def hook(settings: LazySettings) -> Iterator[Provider]:
    """Sends SMS, after the calls in the chain."""
    settings.SMS_BACKEND = "users.channels.chain.ChainBackend"
    settings.SMS_CHAIN = [CALLER, HOOK]
    settings.SMS_TIMEOUT_SECONDS = TIMEOUT_SECONDS
    settings.SMS_WEBHOOK_SECRET = SECRET
    with Provider().running() as server:
        settings.SMS_WEBHOOK_URL = f"{server.url}/webhook"
        yield server


@pytest.fixture
def caller(settings: LazySettings, hook: Provider) -> Iterator[UCaller]:
    settings.UCALLER_SERVICE_ID, settings.UCALLER_SECRET_KEY = SERVICE, KEY
    with UCaller().running() as server:
        settings.UCALLER_URL = server.url
        yield server


def ask(number: str = ALICE, **body: Any) -> Any:
    return APIClient().post(URL, {"phone_number": number, **body})


def test_the_last_digits_of_the_caller_are_the_code(
    caller: UCaller, hook: Provider, db: None
) -> None:
    answer = ask().json()
    assert (answer["channel"], answer["channels"]) == ("call", ["call", "sms"])
    assert answer["message"].startswith("We are calling you. The code is the last 4")
    (code,) = caller.called(ALICE)
    assert hook.asked == []
    body = {"phone_number": ALICE, "code": code}
    assert APIClient().post("/api/auth/verify-code/", body).status_code == 200


def test_a_leading_zero_of_the_code_is_kept(
    caller: UCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("users.login.codes.random_digits", lambda *args: "0421")
    caller.faults[ALICE] = ["number for a code"]  # a client library turns it into 421
    assert ask().json()["channel"] == "call"
    assert caller.called(ALICE) == ["0421"]


@pytest.mark.parametrize("fault", [*REFUSALS, "other digits"])
def test_after_a_refused_call_an_sms_follows(
    caller: UCaller, hook: Provider, fault: str
) -> None:
    caller.faults[ALICE] = [fault]
    answer = ask(channel="call").json()
    assert answer["channel"] == "sms"
    assert answer["message"].startswith("The first attempt to send the code failed.")
    assert (len(caller.asked), len(hook.accepted)) == (1, 1)
    assert used("sends", "all") == 1


@pytest.mark.parametrize("fault", [*LOST, *SILENT])
def test_after_no_answer_it_is_asked_again_with_the_same_key(
    caller: UCaller, hook: Provider, fault: str
) -> None:
    caller.faults[ALICE] = [fault]
    assert ask().json()["channel"] == "call"
    assert len({body["unique"] for body in caller.asked}) == len(caller.calls) == 1
    assert hook.asked == []


def test_an_id_means_that_a_call_was_made_whatever_the_status(
    caller: UCaller, hook: Provider
) -> None:
    caller.faults[ALICE] = ["status false"]
    assert ask().json()["channel"] == "call"
    assert hook.asked == []


@pytest.mark.parametrize("lost", ["502", "cut off"])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_of_the_repeat_does_not_mean_that_nothing_was_sent(
    caller: UCaller, hook: Provider, lost: str, refusal: str
) -> None:
    caller.faults[ALICE] = [lost, refusal]
    assert ask().status_code == 503
    assert len(caller.calls) == 1
    assert not hook.accepted
    assert used("sends", "all") == 1


@pytest.mark.parametrize("refusal", ["400", "401", "429"])
def test_a_refused_repeat_of_the_webhook_sends_no_second_message(
    caller: UCaller, hook: Provider, settings: LazySettings, refusal: str
) -> None:
    settings.SMS_CHAIN = [HOOK, CALLER]
    hook.faults[ALICE] = ["502", refusal]
    assert ask().status_code == 503
    assert len(hook.accepted) == 1
    assert not caller.calls
    assert used("sends", "all") == 1


def test_without_any_answer_no_sms_follows(caller: UCaller, hook: Provider) -> None:
    caller.faults[ALICE] = ["502", "500"]
    error = error_of(ask())
    assert error["detail"].startswith("We are not sure that the call reached you.")
    assert hook.asked == []
    assert ask().json()["channel"] == "call"  # found out by the same key
    assert len(caller.calls) == 1


def test_who_waited_in_vain_for_a_call_gets_the_sms_they_pick(
    caller: UCaller, hook: Provider, clock: Clock
) -> None:
    caller.faults[ALICE] = ["502", "500"]
    assert ask().status_code == 503
    clock.pass_seconds(60)
    assert ask(channel="sms").json()["channel"] == "sms"
    assert len(hook.accepted) == 1


def test_a_picked_channel_comes_first(caller: UCaller, hook: Provider) -> None:
    answer = ask(channel="sms").json()
    assert answer["channel"] == "sms"
    assert answer["message"] == "The code has been sent."
    assert caller.asked == []


def test_a_picked_channel_that_is_skipped_is_not_said_to_have_failed(
    caller: UCaller, hook: Provider
) -> None:
    for _ in range(breaker.MOST_FAILURES):
        breaker.failed(CALLER)
    answer = ask(channel="call").json()
    assert caller.asked == []
    assert answer["channel"] == "sms"
    assert answer["message"] == "The code has been sent."


def test_a_pick_is_no_way_round_the_wait(caller: UCaller, hook: Provider) -> None:
    assert ask(channel="sms").status_code == 200
    response = ask(channel="call")
    assert error_of(response)["limit"] == "code_resend"
    assert (len(hook.accepted), len(caller.asked)) == (1, 0)


def test_requests_at_the_same_time_by_two_channels_send_once(
    caller: UCaller, hook: Provider
) -> None:
    with ThreadPoolExecutor(4) as people:
        picks = ["sms", "call"] * 4
        answers = people.map(lambda pick: ask(channel=pick).status_code, picks)
    assert Counter(answers)[200] == len(hook.accepted) + len(caller.calls) == 1


def test_longer_codes_go_by_sms(
    caller: UCaller, hook: Provider, settings: LazySettings
) -> None:
    settings.LOGIN_CODE_LENGTH = 6
    answer = ask(channel="call").json()
    assert (answer["channel"], answer["channels"]) == ("sms", ["sms"])
    assert answer["message"] == "The code has been sent."  # no call was tried
    assert caller.asked == []


def test_after_an_unsure_sms_the_page_offers_no_call_for_a_longer_code(
    caller: UCaller, hook: Provider, settings: LazySettings, client: Client
) -> None:
    settings.LOGIN_CODE_LENGTH = 6
    hook.faults[ALICE] = ["502", "500", "500", "500"]
    for _ in range(2):  # when it is sent, and when it is looked for
        page = client.post("/login/", {"phone_number": ALICE}, follow=True)
        assert "We are not sure" in page.content.decode()
        assert 'value="call"' not in page.content.decode()


def test_other_countries_get_an_sms(caller: UCaller, hook: Provider) -> None:
    answer = ask("+37491123456").json()
    assert (answer["channel"], answer["channels"]) == ("sms", ["sms"])


def test_codes_to_change_a_number_are_not_called(
    caller: UCaller, hook: Provider, alice: User
) -> None:
    """A call cannot say what its code is for."""
    body = {"phone_number": BORIS, "channel": "call"}
    answer = signed_in(alice).post("/api/profile/phone/request-code/", body).json()
    for name in ("old_code", "new_code"):
        assert answer[name]["channel"] == "sms"
        assert answer[name]["channels"] == ["sms"]
    assert caller.asked == []


@pytest.mark.parametrize("channel", ["telegram", "voice"])
def test_a_channel_that_is_not_configured_is_refused(
    caller: UCaller, channel: str
) -> None:
    response = ask(channel=channel)
    assert response.status_code == 400
    assert error_of(response) == {
        "code": "channel_not_offered",
        "detail": "Codes are not sent this way here. Choose one of: call, sms.",
        "attr": "channel",
    }


@pytest.mark.parametrize("channel", ["fax", 7, ["sms"], {"a": 1}])
def test_an_unknown_channel_is_refused(caller: UCaller, channel: object) -> None:
    response = ask(channel=channel)
    assert response.status_code == 400
    assert error_of(response)["attr"] == "channel"


@pytest.mark.parametrize("channel", [None, ""])
def test_no_channel_means_the_first(caller: UCaller, channel: object) -> None:
    assert ask(channel=channel).json()["channel"] == "call"


def test_a_voice_gets_the_digits_one_by_one(
    hook: Provider, settings: LazySettings
) -> None:
    settings.SMS_CHAIN = [VOICE, HOOK]
    settings.VOICE_WEBHOOK_URL = settings.SMS_WEBHOOK_URL
    settings.VOICE_WEBHOOK_SECRET = SECRET
    assert ask().json()["channel"] == "voice"
    (body,) = hook.bodies
    assert body["channel"] == "voice"
    digits = ", ".join(body["code"])
    assert body["text"].startswith(f"Your sign-in code: {digits}. Once more: {digits}.")


def test_a_provider_that_keeps_failing_is_skipped_for_a_minute(
    caller: UCaller, hook: Provider, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    numbers = [f"+7999000{n:04}" for n in range(10)]
    for number in numbers[:5]:
        caller.faults[number] = ["no money"]
    assert [ask(number).json()["channel"] for number in numbers[:7]] == ["sms"] * 7
    assert len(caller.asked) == 5
    assert caplog.text.count("UCallerBackend failed 5 times in a row") == 1
    clock.pass_seconds(61)
    assert ask(numbers[8]).json()["channel"] == "call"


def test_refusals_of_numbers_do_not_switch_a_provider_off(
    caller: UCaller, hook: Provider
) -> None:
    numbers = [f"+7999000{n:04}" for n in range(7)]
    for number in numbers[:6]:
        caller.faults[number] = ["number"]
    *_, last = [ask(number).json()["channel"] for number in numbers]
    assert last == "call"


def test_limits_of_numbers_do_not_switch_a_webhook_off(
    caller: UCaller, hook: Provider, settings: LazySettings
) -> None:
    settings.SMS_CHAIN = [HOOK, CALLER]
    numbers = [f"+7999000{n:04}" for n in range(7)]
    for number in numbers[:6]:
        hook.faults[number] = ["429"]
    *_, last = [ask(number).json()["channel"] for number in numbers]
    assert last == "sms"


def test_voice_calls_go_to_the_countries_of_calls(
    caller: UCaller, hook: Provider, settings: LazySettings
) -> None:
    settings.SMS_CHAIN = [VOICE, HOOK]
    settings.VOICE_WEBHOOK_URL = settings.SMS_WEBHOOK_URL
    settings.VOICE_WEBHOOK_SECRET = SECRET
    settings.SMS_COUNTRIES = []
    assert ask(ALICE, channel="voice").json()["channel"] == "voice"
    assert ask("+37360123456", channel="voice").json()["channel"] == "sms"


@pytest.mark.parametrize("channel", ["\\ud800", "x" * 1_000, "SMS"])
def test_a_channel_that_does_not_exist_is_not_repeated(channel: str) -> None:
    body = f'{{"phone_number": "{ALICE}", "channel": "{channel}"}}'
    answer = APIClient().post(URL, body, content_type="application/json")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["code"], error["attr"]) == ("invalid_choice", "channel")
    assert error["detail"] == "There is no such channel."


def test_the_last_provider_is_never_skipped(
    caller: UCaller, hook: Provider, settings: LazySettings
) -> None:
    settings.SMS_BACKEND = CALLER
    numbers = [f"+7999000{n:04}" for n in range(8)]
    for number in numbers:
        caller.faults[number] = ["no money"]
    assert {ask(number).status_code for number in numbers} == {503}
    assert len(caller.asked) == 8


def test_a_log_shows_no_number_and_no_code(
    caller: UCaller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for fault in [*REFUSALS, "502", ""]:
        caller.faults[ALICE] = [fault]
        ask()
        clear_cache()
    for line in (record.getMessage() for record in caplog.records):
        assert not any(secret in line for secret in (ALICE[1:], KEY))
        assert not any(call["code"] in line for call in caller.calls.values())


@pytest.mark.slow
@pytest.mark.parametrize("first", ["call", "sms", "voice"])
def test_100_sign_ins_with_20_faults_send_one_message_each(
    caller: UCaller, hook: Provider, settings: LazySettings, db: None, first: str
) -> None:
    settings.LIMITS = dict.fromkeys(settings.LIMITS)
    settings.SMS_CHAIN = [CALLER, HOOK] if first == "call" else [HOOK, CALLER]
    if first == "voice":
        settings.SMS_CHAIN = [VOICE, CALLER]
        settings.VOICE_WEBHOOK_URL = settings.SMS_WEBHOOK_URL
        settings.VOICE_WEBHOOK_SECRET = SECRET
    numbers = [f"+7999000{place:04}" for place in range(100)]
    kinds = ["no money", "502", "garbage", "cut off", "500", "hung up", "silent"]
    kinds = kinds if first == "call" else ["400", *kinds[1:], "429"]
    faults = caller.faults if first == "call" else hook.faults
    for place, number in enumerate(numbers[::5]):
        repeated = kinds[(3 * place + 1) % len(kinds)]  # what befalls the repeat
        faults[number] = [kinds[place % len(kinds)], *([repeated] * (place % 2))]

    def sign_in(number: str) -> tuple[str, float]:
        """What the answer was, and how long it took."""
        started = time.perf_counter()
        response = ask(number)
        seconds = time.perf_counter() - started
        if response.status_code == 503:
            assert "not sure" in error_of(response)["detail"]
            return "unsure", seconds
        return response.json()["channel"], seconds

    with ThreadPoolExecutor(6) as people:
        told = dict(zip(numbers, people.map(sign_in, numbers), strict=True))
    for number, (answer, _) in told.items():
        called, written = len(caller.called(number)), len(hook.sent_to(number))
        assert called + written <= 1
        if answer != "unsure":
            assert (called, written) == ((1, 0) if answer == "call" else (0, 1))
    slowest = max(seconds for _, seconds in told.values())
    assert slowest < TIMEOUT_SECONDS + 3
    print(  # noqa: T201  the figures of `pytest -s`
        f"{first}: {Counter(a for a, _ in told.values())}, at most {slowest:.1f} s"
    )


def test_calls_from_other_digits_are_limited(caller: UCaller, hook: Provider) -> None:
    """They are billed, and ring somebody's phone."""
    caller.faults[ALICE] = ["other digits"] * 20
    hook.faults[ALICE] = ["401"] * 20
    for _ in range(10):
        ask()
    assert 0 < len(caller.calls) <= 5
    assert used("sends", "all") == len(caller.calls)


def test_after_a_lost_answer_and_other_digits_an_sms_follows(
    caller: UCaller, hook: Provider
) -> None:
    """The same key: the digits are those of the first call, which brings no code."""
    caller.faults[ALICE] = ["502", "other digits"]
    assert ask().json()["channel"] == "sms"
    assert (len(caller.calls), len(hook.accepted)) == (1, 1)
