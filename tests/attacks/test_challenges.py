"""T26: past a soft limit every SMS to a stranger costs the solution of a task."""

import time
from statistics import median
from typing import Any

from altcha import Challenge, Payload, Solution, create_challenge, solve_challenge

from tests.attacks.attacker import Target, names, new_address
from tests.attacks.conftest import Lab, Report
from tests.attacks.evidence import log_of
from tests.lab.shared import at_once, new_phone_number


def past_a_soft_limit(lab: Lab) -> Target:
    return lab.server_with(CHALLENGE_FROM_PERCENT="0")


def new_task(server: Target) -> dict[str, Any]:
    answer = server.send_code(new_phone_number(), address=new_address())
    assert answer.name == "challenge_required", answer.body
    task: dict[str, Any] = answer.json["errors"][0]["challenge"]
    return task


def solve(task: dict[str, Any]) -> str:
    challenge = Challenge.from_dict(task)
    solution = solve_challenge(challenge)
    assert solution
    return Payload(challenge, solution).to_base64()


def test_t26_one_solution_sends_one_sms(lab: Lab, report: Report) -> None:
    server = past_a_soft_limit(lab)
    solution = solve(new_task(server))
    before = log_of(lab, server).count("SMS to ")
    seen = names(
        at_once(
            1_000,
            lambda i: server.send_code(
                new_phone_number(), address=new_address(), body={"challenge": solution}
            ),
        )
    )
    sent = log_of(lab, server).count("SMS to ") - before
    report(
        "T26",
        "one solution sent 1,000 times at once, for 1,000 numbers",
        f"{sent} SMS, {seen['challenge_required']} asked to solve another task",
    )
    assert seen == {"200": 1, "challenge_required": 999}
    assert sent == 1


def test_t26_made_up_solutions_send_no_sms(lab: Lab, report: Report) -> None:
    server = past_a_soft_limit(lab)
    before = log_of(lab, server).count("SMS to ")
    made_up = [""]
    task = new_task(server)
    prefix = task["parameters"]["keyPrefix"]
    for counter in range(50):  # guesses at the number, without deriving a key
        guess = Solution(counter, prefix + "0" * 32)
        made_up.append(Payload(Challenge.from_dict(task), guess).to_base64())
    easy = create_challenge(
        algorithm="PBKDF2/SHA-256",
        cost=1,
        counter=0,
        expires_at=int(time.time()) + 60,
        hmac_secret="a secret of the attacker",
        hmac_key_secret="a secret of the attacker",
    )
    made_up.append(solve(easy.to_dict()))
    for change in ({}, {"cost": 1}, {"expiresAt": 4_000_000_000}, {"keyLength": 1}):
        parameters = {**task["parameters"], "keyPrefix": "", **change}
        made_up.append(solve({**task, "parameters": parameters}))
    seen = names(
        at_once(
            len(made_up),
            lambda i: server.send_code(
                new_phone_number(),
                address=new_address(),
                body={"challenge": made_up[i]},
            ),
        )
    )
    sent = log_of(lab, server).count("SMS to ") - before
    report("T26", f"{len(made_up)} made-up solutions", f"{sent} SMS")
    assert seen == {"challenge_required": len(made_up)}
    assert sent == 0


def test_t26_every_sms_costs_processor_time(lab: Lab, report: Report) -> None:
    server = past_a_soft_limit(lab)
    seconds = []
    for _ in range(20):
        task = new_task(server)
        started = time.process_time()
        solution = solve(task)
        seconds.append(time.process_time() - started)
        body = {"challenge": solution}
        answer = server.send_code(new_phone_number(), address=new_address(), body=body)
        assert answer.name == "200", answer.body
    report(
        "T26",
        "20 tasks solved honestly, one after the other",
        f"20 SMS, {median(seconds):.2f} s of a processor each (median)",
    )
    assert sum(seconds) / len(seconds) > 0.05
