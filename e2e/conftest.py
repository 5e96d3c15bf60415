import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

Answer = requests.Response
TIMEOUT_SECONDS = 60


class Server:
    """The live server that BASE_URL names, as an HTTP client sees it."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def post(self, path: str, body: Any, token: str = "") -> Answer:
        headers = {"Authorization": f"Token {token}"} if token else {}
        url = self.base_url + path
        return requests.post(url, json=body, headers=headers, timeout=TIMEOUT_SECONDS)

    def get(self, path: str, token: str = "") -> Answer:
        headers = {"Authorization": f"Token {token}"} if token else {}
        url = self.base_url + path
        return requests.get(url, headers=headers, timeout=TIMEOUT_SECONDS)

    def ask_for_code(self, phone_number: str) -> str:
        answer = self.post("/api/auth/request-code/", {"phone_number": phone_number})
        assert answer.status_code == 200, answer.text
        code: str = answer.json()["dev_code"]
        return code

    def verify(self, phone_number: str, code: str, **body: Any) -> Answer:
        body = {"phone_number": phone_number, "code": code, **body}
        return self.post("/api/auth/verify-code/", body)

    def sign_in(self, phone_number: str) -> dict[str, Any]:
        answer = self.verify(phone_number, self.ask_for_code(phone_number))
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@pytest.fixture(scope="session")
def server() -> Server:
    base_url = os.environ.get("BASE_URL")
    assert base_url, "Start it with `make e2e`, or set BASE_URL to a running server."
    return Server(base_url)


def new_phone_number() -> str:
    return f"+7999{secrets.randbelow(10**7):07}"


def at_once(number: int, act: Callable[[int], Answer]) -> list[Answer]:
    with ThreadPoolExecutor(min(number, 100)) as threads:
        return list(threads.map(act, range(number)))


def outcomes(answers: Iterable[Answer]) -> Counter[str]:
    """Counts of "200" and of the names of refusals."""
    return Counter(
        str(a.status_code) if a.ok else a.json()["errors"][0]["code"] for a in answers
    )
