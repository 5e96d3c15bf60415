"""Sends many HTTP requests at once, from any number of addresses."""

import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30
AWAY = 0  # the status of a request that no server answered


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def name(self) -> str:
        """The status of a success, or the error code of a refusal."""
        if self.status < 400:
            return str(self.status)
        try:
            return str(self.json["errors"][0]["code"])
        except (ValueError, KeyError, TypeError):
            return str(self.status)

    @property
    def limit(self) -> str:
        return str(self.json["errors"][0].get("limit"))


class Target:
    """HTTP client of a live server. Plays the one proxy that the server trusts."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._host = urlsplit(base_url).netloc
        self._idle: list[HTTPConnection] = []

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        address: str = "192.0.2.1",
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        sent = {
            "Content-Type": "application/json",
            "X-Forwarded-For": address,
            **(headers or {}),
        }
        data = json.dumps(body).encode() if raw is None and body is not None else raw
        try:
            return self._send(method, path, data, sent)
        except (HTTPException, OSError):
            return Answer(AWAY, {}, b"")

    def post(self, path: str, body: Any, **options: Any) -> Answer:
        return self.request("POST", path, body, **options)

    def send_code(self, phone_number: str, **options: Any) -> Answer:
        body = {"phone_number": phone_number, **options.pop("body", {})}
        return self.post("/api/auth/request-code/", body, **options)

    def verify(self, phone_number: str, code: Any, **options: Any) -> Answer:
        body = {"phone_number": phone_number, "code": code, **options.pop("body", {})}
        return self.post("/api/auth/verify-code/", body, **options)

    def code_of(self, phone_number: str, **options: Any) -> str:
        answer = self.send_code(phone_number, **options)
        assert answer.status == 200, answer.body
        code: str = answer.json["dev_code"]
        return code

    def sign_in(self, phone_number: str, **options: Any) -> dict[str, Any]:
        code = self.code_of(phone_number, **options)
        answer = self.verify(phone_number, code, **options)
        assert answer.status == 200, answer.body
        signed_in: dict[str, Any] = answer.json
        return signed_in

    def pair(self, phone_number: str, **options: Any) -> dict[str, Any]:
        """Sign in a new device; return its access and refresh token."""
        body = {"phone_number": phone_number}
        body["code"] = self.code_of(phone_number, **options)
        answer = self.post("/api/auth/jwt/create/", body, **options)
        assert answer.status == 200, answer.body
        pair: dict[str, Any] = answer.json
        return pair

    def refresh(self, token: str) -> Answer:
        return self.post("/api/auth/jwt/refresh/", {"refresh": token})

    def with_token(
        self,
        method: str,
        path: str,
        token: str,
        body: Any = None,
        *,
        scheme: str = "Token",
    ) -> Answer:
        headers = {"Authorization": f"{scheme} {token}"}
        return self.request(method, path, body, headers=headers)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _send(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> Answer:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = HTTPConnection(self._host, timeout=TIMEOUT_SECONDS)
        try:
            try:
                connection.request(method, path, data, headers)
                response = connection.getresponse()
            except ConnectionError:  # the server had closed this idle connection
                connection.close()
                connection.request(method, path, data, headers)
                response = connection.getresponse()
            answer = Answer(
                response.status, dict(response.getheaders()), response.read()
            )
        except Exception:
            connection.close()
            raise
        self._idle.append(connection)
        return answer


def names(answers: Iterable[Answer]) -> Counter[str]:
    return Counter(answer.name for answer in answers)


def new_address() -> str:
    """An address in 10.0.0.0/8. It is only sent in X-Forwarded-For."""
    return (
        f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
    )


def timed(act: Callable[[], Answer]) -> tuple[float, Answer]:
    start = time.perf_counter()
    answer = act()
    return time.perf_counter() - start, answer
