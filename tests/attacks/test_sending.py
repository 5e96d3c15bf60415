"""T6, T7, T11, T13, T24: sending SMS, and what an attacker learns from it."""

import time
from collections.abc import Callable
from functools import partial
from statistics import median

from tests.attacks.attacker import Answer, Target, names, new_address, timed
from tests.attacks.conftest import Lab, Report
from tests.attacks.evidence import add_accounts, log_of, write
from tests.lab.shared import at_once, new_phone_number, wrong


def test_t6_simultaneous_requests_send_one_sms(lab: Lab, report: Report) -> None:
    # The wait is longer than the attack, so no second SMS is due.
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


def test_t6_countries_not_served_get_no_sms(
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
        "numbers in a country not served, with and without account",
        f"{answers[0].name}, {'same answer' if same else 'answers DIFFER'}, {sent} SMS",
    )
    assert [a.name for a in answers] == ["country_not_served"] * 2
    assert [a.status for a in answers] == [400, 400]
    assert same
    assert sent == 0


Shape = tuple[int, tuple[str, ...], int]


def _shown(answer: Answer) -> Shape:
    """What an attacker could compare: status, header names, length."""
    return answer.status, tuple(sorted(answer.headers)), len(answer.body)


def test_t7_code_request_does_not_reveal_accounts(
    lab: Lab, target: Target, report: Report
) -> None:
    known = add_accounts(lab, 150)
    unknown = [new_phone_number() for _ in known]
    seconds: dict[str, list[float]] = {"known": [], "unknown": []}
    answers: dict[str, list[Answer]] = {"known": [], "unknown": []}
    for _ in range(10):  # warm up connections and caches
        target.send_code(new_phone_number(), address=new_address())
    for pair in zip(known, unknown, strict=True):
        asked = list(zip(("known", "unknown"), pair, strict=True))
        if len(seconds["known"]) % 2:  # take turns in going first
            asked.reverse()
        for kind, phone in asked:
            ask = partial(target.send_code, phone, address=new_address())
            took, answer = timed(ask)
            seconds[kind].append(took)
            answers[kind].append(answer)
    ratio = median(seconds["known"]) / median(seconds["unknown"])
    shapes = {kind: {_shown(a) for a in answers[kind]} for kind in answers}
    keys = {kind: {tuple(a.json) for a in answers[kind]} for kind in answers}
    report(
        "T7",
        "150 numbers with an account and 150 without, in turns",
        f"same answers: {shapes['known'] == shapes['unknown']}, times 1:{ratio:.2f}"
        f" ({median(seconds['known']) * 1000:.1f} ms)",
    )
    assert names(answers["known"] + answers["unknown"]) == {"200": 300}
    assert len(shapes["known"] | shapes["unknown"]) == 1
    assert len(keys["known"] | keys["unknown"]) == 1
    assert 0.8 <= ratio <= 1.25


def test_t7_wrong_guess_does_not_reveal_accounts(
    lab: Lab, target: Target, report: Report
) -> None:
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
        "a wrong guess at a number with and without an account",
        f"identical answers: {', '.join(sorted(found))}",
    )
    assert found == {"code_incorrect", "code_expired"}


def _accepted(server: Target, address: Callable[[int], str]) -> int:
    answers = at_once(
        1_000, lambda i: server.send_code(new_phone_number(), address=address(i))
    )
    assert set(names(answers)) <= {"200", "throttled"}
    return names(answers)["200"]


def test_t11_forged_addresses_are_ignored_without_a_proxy(
    lab: Lab, report: Report
) -> None:
    server = lab.server_with(
        TRUSTED_PROXY_COUNT="0", LIMIT_SENDS_PER_ADDRESS="5/3600", CHALLENGE_BACKEND=""
    )
    accepted = _accepted(server, lambda i: f"11.{i // 250}.{i % 250}.7")
    report(
        "T11",
        "1,000 X-Forwarded-For values, no trusted proxy, limit 5",
        f"{accepted} accepted",
    )
    assert accepted == 5


def test_t11_forged_addresses_are_ignored_behind_a_proxy(
    lab: Lab, report: Report
) -> None:
    server = lab.server_with(
        TRUSTED_PROXY_COUNT="1", LIMIT_SENDS_PER_ADDRESS="5/3600", CHALLENGE_BACKEND=""
    )
    own = new_address()
    forged = _accepted(server, lambda i: f"11.{i // 250}.{i % 250}.8, {own}")
    report(
        "T11",
        "1,000 forged values before the proxy's own, limit 5",
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


def test_t13_spellings_share_one_limit(target: Target, report: Report) -> None:
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
        "a sign-in with each of the 8 spellings",
        f"{len(ids)} account, created {new} time",
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


def test_t13_impossible_numbers_are_refused(
    lab: Lab, target: Target, report: Report
) -> None:
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
