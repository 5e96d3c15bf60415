"""T30, T33, T37, T39: invite codes, and what visitors leave behind or learn."""

import re
from collections import Counter
from typing import Any
from urllib.parse import quote

import pytest

from tests.attacks.attacker import Answer, Target, names, new_address
from tests.attacks.browser import Browser
from tests.attacks.conftest import Lab, Report
from tests.attacks.evidence import add_accounts
from tests.lab.shared import at_once, new_phone_number

TRIES = 3_000
# More at once would wait too long for a database connection, and get 503.
THREADS = 16
UNKNOWN = {"invite_code": "ZZZZZZ"}
KINDS = ("new", "known")


@pytest.fixture
def patient(lab: Lab) -> Target:
    """A server whose codes live longer than an attack takes."""
    return lab.server_with(LOGIN_CODE_TTL_SECONDS="300")


def judged(answers: list[Answer]) -> int:
    """How many of the tries told whether the invite code exists."""
    seen = names(answers)
    assert set(seen) <= {"invite_code_unknown", "throttled", "404"}, seen
    return seen["invite_code_unknown"] + seen["404"]


@pytest.mark.parametrize("path", ["verify-code", "jwt/create"])
def test_t30_invite_codes_are_not_guessed_through_sign_in(
    patient: Target, report: Report, path: str
) -> None:
    """A first sign-in is rolled back each time, so no row can count the tries."""
    phone = new_phone_number()
    body = {"phone_number": phone, "code": patient.code_of(phone), **UNKNOWN}
    addresses = [new_address() for _ in range(30)]
    answers = at_once(
        TRIES,
        lambda i: patient.post(f"/api/auth/{path}/", body, address=addresses[i % 30]),
        threads=THREADS,
    )
    then = patient.verify(phone, body["code"], address=new_address())
    report(
        "T30",
        f"{TRIES:,} invite codes tried through {path}, 1 number, 30 addresses",
        f"{judged(answers)} judged; then without one: {then.name}",
    )
    assert judged(answers) == 20
    assert then.status == 200


def test_t30_all_paths_of_one_address_share_a_budget(
    patient: Target, report: Report
) -> None:
    address = new_address()
    phones = [new_phone_number() for _ in range(60)]
    codes = at_once(60, lambda i: patient.code_of(phones[i], address=new_address()))
    token = patient.sign_in(new_phone_number(), address=new_address())["token"]

    def attack(i: int) -> Answer:
        phone, code = phones[i % 60], codes[i % 60]
        to: dict[int, Any] = {
            0: (
                "POST",
                "/api/auth/verify-code/",
                {"phone_number": phone, "code": code},
            ),
            1: ("POST", "/api/auth/jwt/create/", {"phone_number": phone, "code": code}),
            2: ("POST", "/api/auth/request-code/", {"phone_number": phone}),
            3: ("GET", "/api/invite-codes/ZZZZZZ/", None),
            4: ("GET", "/i/ZZZZZZ/", None),
            5: ("POST", "/api/profile/", {}),
        }
        method, path, body = to[i // 60 % 6]
        headers = {"Authorization": f"Token {token}"} if "profile" in path else {}
        body = None if body is None else {**body, **UNKNOWN}
        return patient.request(method, path, body, address=address, headers=headers)

    answers = at_once(TRIES, attack, threads=THREADS)
    found = Counter(
        "throttled" if answer.status == 429 else "judged" for answer in answers
    )
    statuses = {answer.status for answer in answers}
    report(
        "T30",
        f"{TRIES:,} invite codes tried on 6 paths, 60 numbers, 1 address",
        f"{found['judged']} judged, {found['throttled']} × 429",
    )
    assert statuses == {400, 404, 429}
    # A try that the limit of a person or number refuses takes nothing from the address.
    assert found["judged"] == 600


def test_t30_strangers_use_up_nobody_s_budget(patient: Target, report: Report) -> None:
    inviter = patient.sign_in(new_phone_number(), address=new_address())["user"]
    phone = new_phone_number()
    body = {"phone_number": phone, **UNKNOWN}
    at_once(
        500,
        lambda i: patient.post("/api/auth/request-code/", body, address=new_address()),
    )
    body = {"invite_code": inviter["invite_code"]}
    code = patient.code_of(phone, address=new_address())
    mine = patient.verify(phone, code, body=body, address=new_address())
    applied = mine.json["invite_code_applied"]
    report(
        "T30",
        "500 unknown invite codes for a number from 500 addresses",
        f"its owner's invite code counts then: {applied}",
    )
    assert applied is True


def credited(lab: Lab, inviter: dict[str, Any]) -> int:
    query = "SELECT count(*) FROM referrals_referral WHERE inviter_id = %s"
    return int(lab.rows(query, inviter["id"])[0][0])


def number_of(lab: Lab, *, has_account: bool) -> str:
    return add_accounts(lab, 1)[0] if has_account else new_phone_number()


def plant(target: Target, phone: str, invite_code: str) -> str:
    """A stranger asks for a code to somebody's number, with an invite code."""
    body = {"invite_code": invite_code}
    return target.code_of(phone, address=new_address(), body=body)


@pytest.mark.parametrize("has_account", [False, True], ids=["new", "known"])
def test_t33_links_credit_nobody(
    lab: Lab, target: Target, report: Report, has_account: bool
) -> None:
    evil = target.sign_in(new_phone_number(), address=new_address())["user"]
    code = evil["invite_code"]
    activation = f"/profile/activate/?invite_code={code}"
    phone = number_of(lab, has_account=has_account)
    browser = Browser(target)
    links = [
        f"/login/?invite={code}",
        f"/i/{code}/",
        f"/login/invite/?invite_code={code}",
        activation,
        f"/login/?next={quote(activation)}",
    ]
    for link in links:
        browser.get(link)
    forged = browser.post_bare("/login/invite/", invite_code=code)
    digits = plant(target, phone, code)
    browser.post("/login/", phone_number=phone, next=activation)
    answer = browser.post("/login/code/", code=digits)
    assert answer.headers["Location"] == activation
    asked = browser.get(activation).text
    browser.get(f"/i/{code}/")
    before = credited(lab, evil)
    browser.post("/profile/activate/", invite_code=code)
    after = credited(lab, evil)
    report(
        "T33",
        f"{len(links)} links, a forged form, a planted code; "
        f"{'an account' if has_account else 'a new number'}",
        f"form {forged.status_code}; credited {before}, after the question {after}",
    )
    browser.close()
    assert forged.status_code == 403
    assert "see your full phone number" in asked
    assert (before, after) == (0, 1)


@pytest.mark.parametrize("has_account", [False, True], ids=["new", "known"])
def test_t33_invite_codes_of_strangers_do_not_count_in_apps(
    lab: Lab, target: Target, report: Report, has_account: bool
) -> None:
    evil = target.sign_in(new_phone_number(), address=new_address())["user"]
    phone = number_of(lab, has_account=has_account)
    digits = plant(target, phone, evil["invite_code"])
    answer = target.verify(phone, digits, address=new_address())
    report(
        "T33",
        "a stranger's invite code with a code request, then an app's sign-in; "
        f"{'an account' if has_account else 'a new number'}",
        f"credited {credited(lab, evil)}",
    )
    assert answer.status == 200
    assert answer.json["invite_code_applied"] is False
    assert credited(lab, evil) == 0


def test_t33_an_accepted_invitation_asks_people_with_an_account_again(
    lab: Lab, target: Target, report: Report
) -> None:
    inviter = target.sign_in(new_phone_number(), address=new_address())["user"]
    page = f"/i/{inviter['invite_code']}/"
    phones = {kind: number_of(lab, has_account=kind == "known") for kind in KINDS}
    counts, ages = [], set()
    for phone in phones.values():
        browser = Browser(target)
        accepted = browser.post(
            "/login/invite/", form=page, invite_code=inviter["invite_code"]
        )
        cookie = accepted.headers["Set-Cookie"]
        ages |= {int(age) for age in re.findall(r"invitation=.*?Max-Age=(\d+)", cookie)}
        browser.sign_in(phone)
        counts.append(credited(lab, inviter))
        browser.close()
    report(
        "T33",
        "an invitation accepted by a new number, then by one with an account",
        f"credited {counts[0]}, then {counts[1] - counts[0]}; kept {ages} s",
    )
    assert counts == [1, 1]
    assert ages == {24 * 3600}


PUBLIC_PAGES = [
    "/",
    "/login/",
    "/login/?next=/profile/edit/",
    "/login/?invite={code}",
    "/login/code/",
    "/i/{code}/",
    "/i/nonsense/",
    "/profile/",
    "/profile/activate/?invite_code={code}",
    "/admin/",
    "/admin/login/",
    "/nowhere/",
    "/robots.txt",
    "/redoc/",
]


def test_t37_visitors_leave_no_sessions(
    lab: Lab, target: Target, report: Report
) -> None:
    inviter = target.sign_in(new_phone_number(), address=new_address())["user"]
    invite_code = inviter["invite_code"]
    before = sessions(lab)
    paths = [path.format(code=invite_code) for path in PUBLIC_PAGES] * 100
    at_once(
        len(paths), lambda i: target.request("GET", paths[i], address=new_address())
    )
    visited = sessions(lab) - before
    browsers = [Browser(target) for _ in range(20)]

    def begin(i: int) -> str:
        """Everything before the code."""
        browsers[i].post("/login/invite/", form="/login/", invite_code=invite_code)
        phone = new_phone_number()
        for _ in range(2):
            browsers[i].post("/login/", phone_number=phone)
            browsers[i].get("/login/code/")
        browsers[i].post("/login/code/", code="0")
        return phone

    phones = at_once(len(browsers), begin)
    begun = sessions(lab) - before
    browsers[0].sign_in(new_phone_number())
    signed_in = sessions(lab) - before
    for browser in browsers:
        browser.close()
    report(
        "T37",
        f"{len(paths):,} visits of {len(PUBLIC_PAGES)} pages, {len(phones)} sign-ins"
        " begun, one done",
        f"{visited}, {begun}, {signed_in} sessions",
    )
    assert (visited, begun, signed_in) == (0, 0, 1)


def sessions(lab: Lab) -> int:
    return int(lab.rows("SELECT count(*) FROM django_session")[0][0])


def test_t39_the_code_page_does_not_tell_whether_a_code_lives(
    patient: Target, report: Report
) -> None:
    """The owner asks for a code and uses it; a stranger watches a page of theirs."""
    phone = new_phone_number()
    digits = patient.code_of(phone, address=new_address())
    stranger = Browser(patient)
    stranger.post("/login/", phone_number=phone)
    stranger.get("/login/code/")  # shows the message
    alive = {_shown(stranger) for _ in range(100)}
    assert patient.verify(phone, digits, address=new_address()).status == 200
    spent = {_shown(stranger) for _ in range(100)}
    report(
        "T39",
        "a stranger's code page read 100 times before and after the sign-in",
        "the same" if alive == spent else "DIFFERENT",
    )
    stranger.close()
    assert alive == spent


def _shown(browser: Browser) -> str:
    """The page without what changes at each look or with the seconds."""
    page = browser.get("/login/code/").text
    return re.sub(r'csrfmiddlewaretoken" value="\w+|data-wait="\d+"', "", page)
