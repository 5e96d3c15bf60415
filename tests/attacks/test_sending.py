"""T6, T7, T11, T13, T24: what an SMS costs, and what asking for one tells."""

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle
from statistics import median

import pytest

from tests.attacks.attacker import (
    Answer,
    Target,
    at_once,
    names,
    new_address,
    new_phone_number,
    wrong,
)
from tests.attacks.conftest import Lab, Report
from tests.attacks.evidence import add_accounts, log_of, write
from users.sms.tests.providers import (
    EMAIL,
    KEY,
    LOST,
    REFUSALS,
    SILENT,
    Provider,
    provider,
)


def test_t6_bombing_one_number(lab: Lab, report: Report) -> None:
    # A wait longer than the attack, or the second SMS would be rightly sent.
    server = lab.server_with(LOGIN_CODE_RESEND_SECONDS="300")
    phone = new_phone_number()
    seen = names(
        at_once(10_000, lambda i: server.send_code(phone, address=new_address()))
    )
    sent = log_of(lab, server).count("SMS to ")
    report(
        "T6",
        "10,000 code requests for one number at once",
        f"{seen['200']} accepted, {sent} SMS, {seen['throttled']} throttled",
    )
    assert seen == {"200": 1, "throttled": 9_999}
    assert sent == 1


def test_t6_a_country_that_is_not_served(
    lab: Lab, target: Target, report: Report
) -> None:
    known, unknown = "+12015550123", "+12015550124"
    (stranger,) = add_accounts(lab, 1)
    write(
        lab,
        "UPDATE users_user SET phone_number = %s WHERE phone_number = %s",
        known,
        stranger,
    )
    before = lab.log.count("SMS to ")
    answers = [target.send_code(p, address=new_address()) for p in (known, unknown)]
    sent = lab.log.count("SMS to ") - before
    same = _shown(answers[0]) == _shown(answers[1])
    same = same and answers[0].body == answers[1].body
    report(
        "T6",
        "a number of a country not served, known and unknown",
        f"{answers[0].name}, {'the same' if same else 'another'} answer, {sent} SMS",
    )
    assert [a.name for a in answers] == ["country_not_served"] * 2
    assert [a.status for a in answers] == [400, 400]
    assert same
    assert sent == 0


Shape = tuple[int, tuple[str, ...], int]


def _shown(answer: Answer) -> Shape:
    """All that tells answers apart but their digits."""
    return answer.status, tuple(sorted(answer.headers)), len(answer.body)


def _timed(act: Callable[[], Answer]) -> tuple[float, Answer]:
    start = time.perf_counter()
    answer = act()
    return time.perf_counter() - start, answer


def test_t7_asking_tells_nothing(lab: Lab, target: Target, report: Report) -> None:
    known = add_accounts(lab, 150)
    unknown = [new_phone_number() for _ in known]
    seconds: dict[str, list[float]] = {"known": [], "unknown": []}
    answers: dict[str, list[Answer]] = {"known": [], "unknown": []}
    for _ in range(10):  # connections and caches warm up on others
        target.send_code(new_phone_number(), address=new_address())
    for pair in zip(known, unknown, strict=True):
        asked = list(zip(("known", "unknown"), pair, strict=True))
        if len(seconds["known"]) % 2:  # neither always goes first
            asked.reverse()
        for kind, phone in asked:
            ask = partial(target.send_code, phone, address=new_address())
            took, answer = _timed(ask)
            seconds[kind].append(took)
            answers[kind].append(answer)
    ratio = median(seconds["known"]) / median(seconds["unknown"])
    shapes = {kind: {_shown(a) for a in answers[kind]} for kind in answers}
    keys = {kind: {tuple(a.json) for a in answers[kind]} for kind in answers}
    report(
        "T7",
        "150 known and 150 unknown numbers, by turns",
        f"same answers: {shapes['known'] == shapes['unknown']}, times 1:{ratio:.2f}"
        f" ({median(seconds['known']) * 1000:.1f} ms)",
    )
    assert names(answers["known"] + answers["unknown"]) == {"200": 300}
    assert len(shapes["known"] | shapes["unknown"]) == 1
    assert len(keys["known"] | keys["unknown"]) == 1
    assert 0.8 <= ratio <= 1.25


def test_t7_guessing_tells_nothing(lab: Lab, target: Target, report: Report) -> None:
    found: set[str] = set()
    for with_code in (True, False):
        (known,) = add_accounts(lab, 1)
        bodies = []
        for phone in (known, new_phone_number()):
            code = target.code_of(phone, address=new_address()) if with_code else "0000"
            answer = target.verify(phone, wrong(code), address=new_address())
            bodies.append((answer.status, sorted(answer.headers), answer.body))
            found.add(answer.name)
        assert bodies[0] == bodies[1]
    report(
        "T7",
        "a wrong guess at a known and an unknown number",
        f"same to the byte: {', '.join(sorted(found))}",
    )
    assert found == {"code_incorrect", "code_expired"}


def _accepted(server: Target, address: Callable[[int], str]) -> int:
    answers = at_once(
        1_000, lambda i: server.send_code(new_phone_number(), address=address(i))
    )
    assert set(names(answers)) <= {"200", "throttled"}
    return names(answers)["200"]


def test_t11_forged_addresses_without_a_proxy(lab: Lab, report: Report) -> None:
    server = lab.server_with(TRUSTED_PROXY_COUNT="0", LIMIT_SENDS_PER_ADDRESS="5/3600")
    accepted = _accepted(server, lambda i: f"11.{i // 250}.{i % 250}.7")
    report(
        "T11",
        "1,000 X-Forwarded-For values, no trusted proxy, limit 5",
        f"{accepted} accepted",
    )
    assert accepted == 5


def test_t11_behind_a_proxy(lab: Lab, report: Report) -> None:
    server = lab.server_with(TRUSTED_PROXY_COUNT="1", LIMIT_SENDS_PER_ADDRESS="5/3600")
    own = new_address()
    forged = _accepted(server, lambda i: f"11.{i // 250}.{i % 250}.8, {own}")
    report(
        "T11",
        "1,000 values left of the proxy's own word, limit 5",
        f"{forged} accepted",
    )
    network = f"2001:db8:{time.time_ns() % 65536:x}:{time.time_ns() // 65536 % 65536:x}"
    one_customer = _accepted(server, lambda i: f"{network}::{i + 1:x}")
    report(
        "T11", "1,000 addresses of one IPv6 /64, limit 5", f"{one_customer} accepted"
    )
    assert (forged, one_customer) == (5, 5)


ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
FULL_WIDTH = str.maketrans("+0123456789", "＋０１２３４５６７８９")


def _spellings(phone: str) -> list[str]:
    a, b, c, d = phone[2:5], phone[5:8], phone[8:10], phone[10:]
    return [
        phone,
        f"8{phone[2:]}",
        f"8 ({a}) {b}-{c}-{d}",
        f"+7 {a} {b} {c} {d}",
        f"+7.{a}.{b}.{c}.{d}",
        f"7{phone[2:]}",
        phone.translate(ARABIC_INDIC),
        phone.translate(FULL_WIDTH),
    ]


def test_t13_spellings_share_a_budget(target: Target, report: Report) -> None:
    spellings = _spellings(new_phone_number())
    seen = names(
        at_once(8, lambda i: target.send_code(spellings[i], address=new_address()))
    )
    report(
        "T13",
        "a code for 8 spellings of one number at once",
        f"{seen['200']} accepted, {seen['throttled']} throttled",
    )
    assert seen == {"200": 1, "throttled": 7}


def test_t13_spellings_are_one_account(lab: Lab, report: Report) -> None:
    server = lab.server_with(LOGIN_CODE_RESEND_SECONDS="1")
    phone = new_phone_number()
    ids, new = set(), 0
    for spelling in _spellings(phone):
        signed_in = server.sign_in(spelling, address=new_address())
        ids.add(signed_in["user"]["id"])
        new += signed_in["is_new_user"]
        assert signed_in["user"]["phone_number"] == phone
        time.sleep(1.1)
    report(
        "T13",
        "a sign-in by each of the 8 spellings",
        f"{len(ids)} account, made {new} time",
    )
    assert (len(ids), new) == (1, 1)


IMPOSSIBLE = [
    "",
    "112",
    "+7",
    "+7999123456",
    "+799912345678",
    "+70000000000",
    "+999123456789",
    "+7999123456x",
    "+79991234567;ext=5",
    "+79991234567,+79991234568",
    "+7999" + "1" * 100,
    "DROP TABLE",
]


def test_t13_impossible_numbers(lab: Lab, target: Target, report: Report) -> None:
    before = lab.log.count("SMS to ")
    seen = [target.send_code(p, address=new_address()) for p in IMPOSSIBLE]
    sent = lab.log.count("SMS to ") - before
    report(
        "T13",
        f"{len(IMPOSSIBLE)} impossible numbers",
        f"{sum(a.status == 400 for a in seen)} refused, {sent} SMS",
    )
    assert {a.status for a in seen} == {400}
    assert sent == 0


PROVIDER_SECONDS = 10  # what somebody before a form bears
FIRST_WAIT = {5, 6}  # not the second: what failed has not been a send


@pytest.fixture(scope="module")
def aero() -> Iterator[Provider]:
    with provider() as server:
        yield server


@pytest.fixture
def through_aero(lab: Lab, aero: Provider) -> Target:
    return lab.server_with(
        SMS_BACKEND="users.sms.smsaero.SmsAeroBackend",
        SMS_AERO_URL=f"{aero.url}/v2",
        SMS_AERO_EMAIL=EMAIL,
        SMS_AERO_API_KEY=KEY,
        SHOW_LOGIN_CODES="off",
    )


def _ask_until_sent(server: Target, phone: str) -> tuple[list[str], Answer]:
    """All the answers' names, and the last answer."""
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
    """For each fault, all at once: a number that meets it, and the timed answer."""

    def ask(fault: str) -> tuple[str, str, float, Answer]:
        phone = new_phone_number()
        aero.faults[phone] = [fault]
        took, answer = _timed(lambda: server.send_code(phone, address=new_address()))
        return fault, phone, took, answer

    with ThreadPoolExecutor(len(faults)) as people:
        return list(people.map(ask, faults))


def test_t24_provider_in_trouble(
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


def test_t24_answer_gets_lost(
    through_aero: Target, aero: Provider, report: Report
) -> None:
    for fault, phone, took, answer in _ask_through(through_aero, aero, LOST):
        sent = len(aero.sent_to(phone))
        report(
            "T24",
            f"the SMS provider sends, its answer is lost ({fault})",
            f"{answer.name} after {took:.1f} s, {sent} SMS",
        )
        assert answer.status == 200
        assert took < PROVIDER_SECONDS
        assert sent == 1


def test_t24_provider_down(lab: Lab, target: Target, report: Report) -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        down = lab.server_with(
            SMS_BACKEND="users.sms.smsaero.SmsAeroBackend",
            SMS_AERO_URL=f"http://127.0.0.1:{taken.getsockname()[1]}/v2",
            SMS_AERO_EMAIL=EMAIL,
            SMS_AERO_API_KEY=KEY,
            SHOW_LOGIN_CODES="off",
        )
        phone, address = new_phone_number(), new_address()
        took, refused = _timed(lambda: down.send_code(phone, address=address))
    again = target.send_code(phone, address=address)
    report(
        "T24",
        "the SMS provider is down",
        f"{refused.name} after {took:.1f} s; a working one at once: {again.name}",
    )
    assert (refused.status, refused.name) == (503, "sms_unavailable")
    assert took < PROVIDER_SECONDS
    assert again.status == 200
    assert again.json["resend_in"] in FIRST_WAIT


def test_t24_backend_with_a_mistake(lab: Lab, target: Target, report: Report) -> None:
    """An error other than SmsUnavailable is a backend's mistake: logged, and a 5xx."""
    mistaken = lab.server_with(SMS_BACKEND="tests.attacks.providers.Mistaken")
    phone, address = new_phone_number(), new_address()
    took, refused = _timed(lambda: mistaken.send_code(phone, address=address))
    again = target.send_code(phone, address=address)
    report(
        "T24",
        "the SMS backend lets an error of its own through",
        f"{refused.status} {refused.name}; a working one at once: {again.name}",
    )
    assert refused.status in {500, 503}
    assert set(refused.json) == {"type", "errors"}
    assert took < PROVIDER_SECONDS
    assert again.status == 200
    assert again.json["resend_in"] in FIRST_WAIT


def _refused_at_once(server: Target, phone: str, address: str) -> list[Answer]:
    return at_once(100, lambda i: server.send_code(phone, address=address))


def test_t24_failures_spend_nothing(
    through_aero: Target, aero: Provider, report: Report
) -> None:
    seen: Counter[str] = Counter()
    waits = []
    for _ in range(6):  # a race: once may go well
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
        f"{dict(seen)}; then a send, and a wait of {waits} s (a first one: 6)",
    )
    assert set(seen) <= {"sms_unavailable", "throttled"}
    assert set(waits) <= FIRST_WAIT


def test_t24_nobody_gets_two(
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
        "100 people, 20 faults of 17 kinds; who is refused asks again",
        f"{failed} times sms_unavailable; {sent[1]} got one SMS, {sent[2]} two",
    )
    assert {answer.status for _, answer in seen} == {200}
    assert sent == {1: len(phones)}
