"""Where a code is asked for, a challenge comes back, in the API and on the pages."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.checks import run_checks
from django.test import Client as DjangoClient
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, error_of, open_session, signed_in
from users import challenges
from users.challenges.exceptions import ChallengeRequired
from users.challenges.proof_of_work import ProofOfWork
from users.challenges.tests.test_proof_of_work import solve
from users.channels.memory import Message
from users.models import User
from users.tests.pages import text

WAIT_SECONDS = 3600


@pytest.fixture
def past_a_soft_limit(settings: LazySettings) -> None:
    settings.CHALLENGE_FROM_PERCENT = 0


# --- API ----------------------------------------------------------------------------


@pytest.mark.usefixtures("past_a_soft_limit")
def test_refusal_carries_a_task(api: APIClient, outbox: list[Message]) -> None:
    body: dict[str, str] = {"phone_number": ALICE}
    response = api.post("/api/auth/request-code/", body)
    assert response.status_code == 429
    assert response["Retry-After"] == str(WAIT_SECONDS)
    task = response.json()["errors"][0]["challenge"]
    assert response.json() == {
        "type": "client_error",
        "errors": [
            {
                "code": "challenge_required",
                "detail": "Solve the task first, then ask again.",
                "attr": None,
                "limit": "sends_per_address",
                "retry_after": WAIT_SECONDS,
                "challenge": task,
            }
        ],
    }
    sample = ChallengeRequired.sample().facts["challenge"]
    assert isinstance(sample, dict)
    assert task.keys() == sample.keys()
    assert task["kind"] == "proof_of_work"
    assert task["parameters"].keys() == sample["parameters"].keys()
    assert not outbox


@pytest.mark.usefixtures("past_a_soft_limit")
def test_with_the_solution_the_code_is_sent(
    db: None, api: APIClient, outbox: list[Message]
) -> None:
    body: dict[str, str] = {"phone_number": ALICE}
    task = error_of(api.post("/api/auth/request-code/", body))["challenge"]
    body["challenge"] = solve(task)
    assert api.post("/api/auth/request-code/", body).status_code == 200
    assert len(outbox) == 1
    again = api.post("/api/auth/request-code/", {**body, "phone_number": BORIS})
    assert error_of(again)["code"] == "challenge_required"
    assert len(outbox) == 1


@pytest.mark.usefixtures("past_a_soft_limit")
def test_change_of_number_takes_a_solution(alice: User, outbox: list[Message]) -> None:
    api = signed_in(alice)
    body: dict[str, str] = {"phone_number": BORIS}
    path = "/api/profile/phone/request-code/"
    for _ in range(2):  # one for each of the two messages
        task = error_of(api.post(path, body))["challenge"]
        response = api.post(path, {**body, "challenge": solve(task)})
        body["challenge"] = ""
    assert response.status_code == 200, response.json()
    assert [message.phone_number for message in outbox] == [ALICE, BORIS]


@pytest.mark.parametrize(
    ("value", "code"),
    [(7, "invalid"), ({}, "invalid"), ("x" * 4097, "max_length")],
    ids=["number", "object", "long"],
)
@pytest.mark.parametrize(
    "path", ["/api/auth/request-code/", "/api/profile/phone/request-code/"]
)
def test_malformed_solution_is_refused(
    alice: User, path: str, value: Any, code: str, outbox: list[Message]
) -> None:
    body = {"phone_number": BORIS, "challenge": value}
    response = signed_in(alice).post(path, body)
    assert response.status_code == 400
    error = error_of(response)
    assert (error["code"], error["attr"]) == (code, "challenge")
    assert not outbox


def test_solution_that_nobody_asked_for_is_not_spent(
    db: None, api: APIClient, outbox: list[Message]
) -> None:
    solution = solve(ProofOfWork().task())
    body = {"phone_number": ALICE, "challenge": solution}
    assert api.post("/api/auth/request-code/", body).status_code == 200
    assert challenges.is_solved(solution)


# --- Settings -----------------------------------------------------------------------


def test_without_a_backend_nothing_has_to_be_solved(
    db: None, settings: LazySettings
) -> None:
    settings.CHALLENGE_BACKEND = ""
    assert challenges.backend() is None
    assert challenges.is_solved("")
    assert "config.E012" not in {error.id for error in run_checks()}


class Captcha(challenges.Challenge):
    """As in docs/configuration.md, without the provider."""

    template_name = "users/tests/captcha.html"

    def task(self) -> dict[str, Any]:
        return {"kind": "captcha", "site_key": "ours"}

    def solved(self, solution: str) -> bool:
        return solution == "right"


@pytest.mark.usefixtures("past_a_soft_limit")
def test_another_backend_can_be_set(
    db: None, api: APIClient, settings: LazySettings, outbox: list[Message]
) -> None:
    settings.CHALLENGE_BACKEND = f"{__name__}.Captcha"
    body: dict[str, str] = {"phone_number": ALICE}
    error = error_of(api.post("/api/auth/request-code/", body))
    assert error["challenge"] == {"kind": "captcha", "site_key": "ours"}
    for solution, status in {"": 429, "wrong": 429, "right": 200}.items():
        body["challenge"] = solution
        assert api.post("/api/auth/request-code/", body).status_code == status
    assert len(outbox) == 1


def test_backend_that_is_not_there_is_named_at_the_start(
    db: None, settings: LazySettings
) -> None:
    settings.CHALLENGE_BACKEND = "no.such.Challenge"
    found = {error.id: error.msg for error in run_checks()}
    assert "CHALLENGE_BACKEND" in found["config.E012"]


# --- Pages --------------------------------------------------------------------------


def task_on(page: Any) -> dict[str, Any]:
    found = re.search(r'name="challenge" value="([^"]+)"', page.content.decode())
    assert found
    task: dict[str, Any] = json.loads(unescape(found[1]))
    return task


@pytest.mark.usefixtures("past_a_soft_limit")
def test_page_keeps_the_form_and_carries_the_task(
    db: None, client: DjangoClient, outbox: list[Message]
) -> None:
    spelled = "8 (999) 000-00-01"
    page = client.post("/login/", {"phone_number": spelled, "next": '/x/?"<b>'})
    assert page.status_code == 429
    assert "no-store" in page["Cache-Control"]
    body = page.content.decode()
    assert f'name="phone_number" value="{spelled}"' in body
    assert 'name="next" value="/x/?&quot;&lt;b&gt;"' in body
    assert "Checking that you are not a robot" in text(page)
    # What people without scripts read:
    assert "Try again in 60 minutes." in text(page)
    assert not outbox
    form = {"phone_number": spelled, "challenge": solve(task_on(page))}
    assert client.post("/login/", form)["Location"] == "/login/code/"
    assert [message.phone_number for message in outbox] == [ALICE]


@pytest.mark.usefixtures("past_a_soft_limit")
def test_page_starts_no_second_task_by_itself(db: None, client: DjangoClient) -> None:
    form = {"phone_number": ALICE, "challenge": "wrong"}
    page = client.post("/login/", form)
    assert page.status_code == 429
    assert "Try again in 60 minutes." in text(page)
    assert "data-task" not in page.content.decode()
    assert 'name="challenge"' not in page.content.decode()


@pytest.mark.usefixtures("past_a_soft_limit")
def test_page_of_the_new_number_carries_the_task(
    client: DjangoClient, alice: User, outbox: list[Message]
) -> None:
    open_session(client, alice)
    for _ in range(2):  # one for each of the two messages
        page = client.post("/profile/phone/", {"phone_number": BORIS})
        assert page.status_code == 429
        form = {"phone_number": BORIS, "challenge": solve(task_on(page))}
        page = client.post("/profile/phone/", form)
    assert page["Location"] == "/profile/phone/code/"
    assert [message.phone_number for message in outbox] == [ALICE, BORIS]


def test_worker_comes_from_here(client: DjangoClient) -> None:
    policy = client.get("/login/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "worker-src" not in policy  # so default-src decides
