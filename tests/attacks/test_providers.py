"""T24: SMS providers that fail, hang or lie."""

import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import pytest

from tests.attacks.attacker import Answer, Target, names, new_address, timed
from tests.attacks.conftest import Lab, Report
from tests.lab.shared import at_once, new_phone_number
from users.channels.tests.providers import (
    EMAIL,
    KEY,
    LOST,
    REFUSALS,
    SILENT,
    Provider,
)

PROVIDER_SECONDS = 10  # the longest wait that people accept
FIRST_WAIT = {5, 6}  # not the second wait: a failed send does not count


@pytest.fixture(scope="module")
def aero() -> Iterator[Provider]:
    with Provider().running() as server:
        yield server


@pytest.fixture
def through_aero(lab: Lab, aero: Provider) -> Target:
    return lab.server_with(
        SMS_BACKEND="users.channels.smsaero.SmsAeroBackend",
        SMS_AERO_URL=f"{aero.url}/v2",
        SMS_AERO_EMAIL=EMAIL,
        SMS_AERO_API_KEY=KEY,
        SHOW_LOGIN_CODES="off",
    )


def _ask_until_sent(server: Target, phone: str) -> tuple[list[str], Answer]:
    """The results of all answers, and the last answer."""
    seen = []
    for _ in range(4):
        answer = server.send_code(phone, address=new_address())
        seen.append(answer.name)
        if answer.status != 503:
            break
        time.sleep(int(answer.headers["Retry-After"]))
    return seen, answer


def _ask_through(
    server: Target, aero: Provider, faults: Sequence[str]
) -> list[tuple[str, str, float, Answer]]:
    """One request per fault, all at once: fault, number, seconds, answer."""

    def ask(fault: str) -> tuple[str, str, float, Answer]:
        phone = new_phone_number()
        aero.faults[phone] = [fault]
        took, answer = timed(lambda: server.send_code(phone, address=new_address()))
        return fault, phone, took, answer

    with ThreadPoolExecutor(len(faults)) as people:
        return list(people.map(ask, faults))


def test_t24_failing_provider_answers_503(
    through_aero: Target, aero: Provider, report: Report
) -> None:
    asked = _ask_through(through_aero, aero, [*REFUSALS, *SILENT])
    time.sleep(max(FIRST_WAIT))
    for fault, phone, took, refused in asked:
        _, again = _ask_until_sent(through_aero, phone)
        sent = len(aero.sent_to(phone))
        report(
            "T24",
            f"the SMS provider fails ({fault})",
            f"{refused.name} after {took:.1f} s; then {again.name} and {sent} SMS",
        )
        assert (refused.status, refused.name) == (503, "sms_unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        assert took < PROVIDER_SECONDS
        assert again.status == 200
        assert again.json["resend_in"] in FIRST_WAIT
        assert sent == 1


def test_t24_lost_answer_sends_one_sms(
    through_aero: Target, aero: Provider, report: Report
) -> None:
    for fault, phone, took, answer in _ask_through(through_aero, aero, LOST):
        sent = len(aero.sent_to(phone))
        report(
            "T24",
            f"the SMS is sent, the provider's answer is lost ({fault})",
            f"{answer.name} after {took:.1f} s, {sent} SMS",
        )
        assert answer.status == 200
        assert took < PROVIDER_SECONDS
        assert sent == 1


def test_t24_unreachable_provider_answers_503(
    lab: Lab, target: Target, report: Report
) -> None:
    with socket.socket() as taken:  # bound, but not listening
        taken.bind(("127.0.0.1", 0))
        down = lab.server_with(
            SMS_BACKEND="users.channels.smsaero.SmsAeroBackend",
            SMS_AERO_URL=f"http://127.0.0.1:{taken.getsockname()[1]}/v2",
            SMS_AERO_EMAIL=EMAIL,
            SMS_AERO_API_KEY=KEY,
            SHOW_LOGIN_CODES="off",
        )
        phone, address = new_phone_number(), new_address()
        took, refused = timed(lambda: down.send_code(phone, address=address))
    again = target.send_code(phone, address=address)
    report(
        "T24",
        "the SMS provider is down",
        f"{refused.name} after {took:.1f} s; then with a working one: {again.name}",
    )
    assert (refused.status, refused.name) == (503, "sms_unavailable")
    assert took < PROVIDER_SECONDS
    assert again.status == 200
    assert again.json["resend_in"] in FIRST_WAIT


def test_t24_bug_in_a_backend_answers_5xx(
    lab: Lab, target: Target, report: Report
) -> None:
    """Any error other than SmsUnavailable is a bug: it is logged and gives a 5xx."""
    mistaken = lab.server_with(SMS_BACKEND="tests.attacks.providers.Mistaken")
    phone, address = new_phone_number(), new_address()
    took, refused = timed(lambda: mistaken.send_code(phone, address=address))
    again = target.send_code(phone, address=address)
    report(
        "T24",
        "the SMS backend raises an unexpected error",
        f"{refused.status} {refused.name}; then with a working one: {again.name}",
    )
    assert refused.status in {500, 503}
    assert set(refused.json) == {"type", "errors"}
    assert took < PROVIDER_SECONDS
    assert again.status == 200
    assert again.json["resend_in"] in FIRST_WAIT


def _refused_at_once(server: Target, phone: str, address: str) -> list[Answer]:
    return at_once(100, lambda i: server.send_code(phone, address=address))


def test_t24_failed_sends_are_refunded(
    through_aero: Target, aero: Provider, report: Report
) -> None:
    seen: Counter[str] = Counter()
    waits = []
    for _ in range(6):  # a race may succeed by luck, so repeat it
        phone, address = new_phone_number(), new_address()
        aero.faults[phone] = ["400"] * 100
        seen += names(_refused_at_once(through_aero, phone, address))
        aero.faults[phone] = [""]
        answer = through_aero.send_code(phone, address=address)
        assert answer.status == 200
        waits.append(answer.json["resend_in"])
    report(
        "T24",
        "6 × 100 requests at once while the provider refuses",
        f"{dict(seen)}; then an SMS, and waits of {waits} s (first wait: 6)",
    )
    assert set(seen) <= {"sms_unavailable", "throttled"}
    assert set(waits) <= FIRST_WAIT


def test_t24_faults_never_send_two_sms(
    through_aero: Target, aero: Provider, report: Report
) -> None:
    phones = sorted({new_phone_number() for _ in range(100)})
    kinds = cycle([*REFUSALS, *LOST, *SILENT])
    aero.faults |= {phone: [next(kinds)] for phone in phones[::5]}
    with ThreadPoolExecutor(20) as people:
        seen = list(people.map(lambda p: _ask_until_sent(through_aero, p), phones))
    failed = sum(len(told) - 1 for told, _ in seen)
    sent = Counter(len(aero.sent_to(phone)) for phone in phones)
    report(
        "T24",
        "100 people, 20 faults of 17 kinds; refused people ask again",
        f"sms_unavailable {failed} times; {sent[1]} got one SMS, {sent[2]} got two",
    )
    assert {answer.status for _, answer in seen} == {200}
    assert sent == {1: len(phones)}
