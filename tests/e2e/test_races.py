"""Requests that arrive at once, over HTTP, at one process or several.

`-s` shows what was answered.
"""

import time
from collections import Counter

from tests.e2e.conftest import Server, at_once, new_phone_number, outcomes

ATTEMPTS = 5
# The code is gone, or this client's guesses are: refused without a look at the digits.
NOT_COMPARED = ("code_expired", "throttled")


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10_000:04}"


def show(what: str, seen: Counter[str]) -> None:
    print(f"\n  {what}: {dict(seen)}", end="")


def test_a_code_request_takes_a_second_or_two(server: Server) -> None:
    start = time.monotonic()
    server.ask_for_code(new_phone_number())
    assert 1 <= time.monotonic() - start < 4


def test_20_first_sign_ins_at_once(server: Server) -> None:
    phone = new_phone_number()
    code = server.ask_for_code(phone)
    seen = outcomes(at_once(20, lambda i: server.verify(phone, code)))
    show("20 first sign-ins of one phone", seen)
    assert seen["200"] == 1
    assert set(seen) <= {"200", *NOT_COMPARED}


def test_the_right_code_50_times_at_once(server: Server) -> None:
    phone = new_phone_number()
    first = server.sign_in(new_phone_number())
    code = server.ask_for_code(phone)
    invite_code = first["user"]["invite_code"]
    answers = at_once(50, lambda i: server.verify(phone, code, invite_code=invite_code))
    seen = outcomes(answers)
    show("the right code 50 times", seen)
    assert seen["200"] == 1
    assert set(seen) <= {"200", *NOT_COMPARED}
    profile = server.get("/api/profile/", first["token"]).json()
    assert profile["referrals_count"] == 1


def test_500_wrong_guesses_at_once(server: Server) -> None:
    phone = new_phone_number()
    code = server.ask_for_code(phone)
    seen = outcomes(at_once(500, lambda i: server.verify(phone, wrong(code))))
    show("500 wrong guesses", seen)
    assert seen["code_incorrect"] == ATTEMPTS
    assert set(seen) <= {"code_incorrect", *NOT_COMPARED}


def test_12_activations_at_once(server: Server) -> None:
    inviters = at_once(
        12, lambda i: server.verify(p := new_phone_number(), server.ask_for_code(p))
    )
    codes = [answer.json()["user"]["invite_code"] for answer in inviters]
    token = server.sign_in(new_phone_number())["token"]
    answers = at_once(
        12, lambda i: server.post("/api/profile/", {"invite_code": codes[i]}, token)
    )
    show("12 activations by one person", outcomes(answers))
    assert outcomes(answers) == {"200": 1, "invite_code_already_activated": 11}


def test_100_requests_for_one_phone_at_once(server: Server) -> None:
    body = {"phone_number": new_phone_number()}
    answers = at_once(100, lambda i: server.post("/api/auth/request-code/", body))
    show("100 code requests for one phone", outcomes(answers))
    assert outcomes(answers) == {"200": 1, "throttled": 99}
    assert all(int(a.headers["Retry-After"]) > 0 for a in answers if not a.ok)
