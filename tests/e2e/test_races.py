"""Simultaneous requests over HTTP, to one process or several.

`-s` prints the answers.
"""

import time
from collections import Counter

from tests.e2e.conftest import Server, outcomes
from tests.lab.shared import at_once, new_phone_number, wrong

ATTEMPTS = 5
# The code is invalid or this client's guesses are used up: the code is not compared.
NOT_COMPARED = ("code_expired", "throttled")


def show(what: str, seen: Counter[str]) -> None:
    print(f"\n  {what}: {dict(seen)}", end="")


def test_code_request_takes_one_to_two_seconds(server: Server) -> None:
    start = time.monotonic()
    server.ask_for_code(new_phone_number())
    assert 1 <= time.monotonic() - start < 4


def test_one_of_20_first_sign_ins_succeeds(server: Server) -> None:
    phone = new_phone_number()
    code = server.ask_for_code(phone)
    seen = outcomes(at_once(20, lambda i: server.verify(phone, code)))
    show("20 first sign-ins with one number", seen)
    assert seen["200"] == 1
    assert set(seen) <= {"200", *NOT_COMPARED}


def test_code_signs_in_once_of_50_attempts(server: Server) -> None:
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


def test_five_of_500_wrong_guesses_are_compared(server: Server) -> None:
    phone = new_phone_number()
    code = server.ask_for_code(phone)
    seen = outcomes(at_once(500, lambda i: server.verify(phone, wrong(code))))
    show("500 wrong guesses", seen)
    assert seen["code_incorrect"] == ATTEMPTS
    assert set(seen) <= {"code_incorrect", *NOT_COMPARED}


def test_one_of_12_activations_succeeds(server: Server) -> None:
    inviters = at_once(
        12, lambda i: server.verify(p := new_phone_number(), server.ask_for_code(p))
    )
    codes = [answer.json()["user"]["invite_code"] for answer in inviters]
    token = server.sign_in(new_phone_number())["token"]
    answers = at_once(
        12, lambda i: server.post("/api/profile/", {"invite_code": codes[i]}, token)
    )
    show("12 activations by one user", outcomes(answers))
    assert outcomes(answers) == {"200": 1, "invite_code_already_activated": 11}


def test_one_of_100_code_requests_is_accepted(server: Server) -> None:
    body = {"phone_number": new_phone_number()}
    answers = at_once(100, lambda i: server.post("/api/auth/request-code/", body))
    show("100 code requests for one number", outcomes(answers))
    assert outcomes(answers) == {"200": 1, "throttled": 99}
    assert all(int(a.headers["Retry-After"]) > 0 for a in answers if not a.ok)
