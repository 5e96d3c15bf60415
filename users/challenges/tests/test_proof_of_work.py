"""The proof of work: which solutions are accepted, and how often."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from altcha import Challenge, Payload, Solution, create_challenge, solve_challenge
from django.conf import LazySettings

from conftest import Clock
from users import challenges
from users.challenges.proof_of_work import ProofOfWork


def solve(task: dict[str, Any]) -> str:
    challenge = Challenge.from_dict(task)
    solution = solve_challenge(challenge)
    assert solution
    return Payload(challenge, solution).to_base64()


def changed(solution: str, **parameters: Any) -> str:
    """The same solution of a task with other parameters."""
    payload = json.loads(base64.b64decode(solution))
    payload["challenge"]["parameters"] |= parameters
    return base64.b64encode(json.dumps(payload).encode()).decode()


def test_right_solution_is_accepted() -> None:
    assert ProofOfWork().solved(solve(ProofOfWork().task()))


def test_solution_is_accepted_once() -> None:
    solution = solve(ProofOfWork().task())
    assert ProofOfWork().solved(solution)
    assert not ProofOfWork().solved(solution)


def test_solution_written_in_another_way_is_not_accepted_again() -> None:
    solution = solve(ProofOfWork().task())
    assert ProofOfWork().solved(solution)
    payload = json.loads(base64.b64decode(solution))
    payload["solution"]["derivedKey"] = payload["solution"]["derivedKey"].upper()
    payload["solution"]["time"] = 7
    payload["more"] = True
    again = base64.b64encode(json.dumps(payload, indent=1).encode()).decode()
    assert not ProofOfWork().solved(again)


@pytest.mark.usefixtures("pauses_in_the_cache")
def test_solution_sent_many_times_at_once_is_accepted_once() -> None:
    solution = solve(ProofOfWork().task())
    with ThreadPoolExecutor(20) as threads:
        accepted = list(threads.map(ProofOfWork().solved, [solution] * 100))
    assert accepted.count(True) == 1


def test_two_tasks_differ() -> None:
    tasks = [ProofOfWork().task()["parameters"] for _ in range(2)]
    assert tasks[0]["nonce"] != tasks[1]["nonce"]
    assert tasks[0]["keyPrefix"] != tasks[1]["keyPrefix"]


def test_solution_is_accepted_until_the_task_expires(clock: Clock) -> None:
    late, too_late = (solve(ProofOfWork().task()) for _ in range(2))
    clock.pass_seconds(300)
    assert ProofOfWork().solved(late)
    clock.pass_seconds(1)
    assert not ProofOfWork().solved(too_late)


def test_used_solution_is_refused_until_the_task_expires(clock: Clock) -> None:
    solution = solve(ProofOfWork().task())
    assert ProofOfWork().solved(solution)
    clock.pass_seconds(300)
    assert not ProofOfWork().solved(solution)


def test_wrong_solution_does_not_use_up_the_task() -> None:
    task = ProofOfWork().task()
    prefix = task["parameters"]["keyPrefix"]
    wrong = Payload(Challenge.from_dict(task), Solution(0, prefix + "0" * 32))
    assert not ProofOfWork().solved(wrong.to_base64())
    assert ProofOfWork().solved(solve(task))


@pytest.mark.parametrize(
    "change",
    [
        {"expiresAt": 4_000_000_000},
        {"expiresAt": None},
        {"keySignature": None},
        {"keyPrefix": ""},
        {"cost": 1},
        {"nonce": "00" * 16},
    ],
    ids=str,
)
def test_solution_of_a_changed_task_is_refused(change: dict[str, Any]) -> None:
    assert not ProofOfWork().solved(changed(solve(ProofOfWork().task()), **change))


def test_task_that_somebody_else_made_is_refused() -> None:
    task = create_challenge(
        algorithm="PBKDF2/SHA-256",
        cost=1,
        counter=1,
        expires_at=int(time.time()) + 60,
        hmac_secret="their own",
        hmac_key_secret="their own",
    )
    assert not ProofOfWork().solved(solve(task.to_dict()))


def test_task_without_a_signature_is_refused() -> None:
    task = ProofOfWork().task()
    solution = solve(task)
    payload = json.loads(base64.b64decode(solution))
    del payload["challenge"]["signature"]
    unsigned = base64.b64encode(json.dumps(payload).encode()).decode()
    assert not ProofOfWork().solved(unsigned)


def test_task_made_with_another_secret_key_is_refused(settings: LazySettings) -> None:
    solution = solve(ProofOfWork().task())
    settings.SECRET_KEY = "another " * 8
    assert not ProofOfWork().solved(solution)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no base64 at all!",
        "\x00",
        "код",
        *(
            base64.b64encode(text.encode()).decode()
            for text in ("", "null", "[]", "{}", '{"challenge": 1}', "[" * 2000)
        ),
    ],
)
def test_text_that_is_no_solution_is_refused(text: str) -> None:
    assert not ProofOfWork().solved(text)
    assert challenges.is_due(text)


def test_longest_solution_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProofOfWork, "ITERATIONS", 9_999_999)
    monkeypatch.setattr("users.challenges.proof_of_work.secrets.randbelow", lambda _: 1)
    monkeypatch.setattr("altcha.v2.derive_key_pbkdf2", lambda *_: b"k" * 32)
    solution = solve(ProofOfWork().task())
    assert len(solution) < challenges.MAX_SOLUTION_LENGTH / 4
    assert not challenges.is_due(solution)


def test_solution_that_is_too_long_is_not_read() -> None:
    solution = solve(ProofOfWork().task())
    assert challenges.is_due(solution + " " * challenges.MAX_SOLUTION_LENGTH)
    assert not challenges.is_due(solution)


def test_numbers_are_drawn_from_the_whole_range(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def draw(limit: int) -> int:
        asked.append(limit)
        return 0

    monkeypatch.setattr("users.challenges.proof_of_work.secrets.randbelow", draw)
    ProofOfWork().task()
    assert asked == [ProofOfWork.COUNTERS]
