"""An SMS provider on loopback that speaks SMS Aero's wire format, and a plain webhook.

`faults` says what befalls the next requests to send, by number or, under "", for all;
`accepted` is its log of the messages that went out.
"""

import time
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from users.channels.tests.stand_in import StandIn, StandInHandler

EMAIL, KEY, SECRET = "operator@example.com", "a-key-of-the-account", "webhook-secret"

# Nothing went out, and the answer says so.
REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "400": (400, {"success": False, "data": None, "message": "Validation error."}),
    "401": (401, {"success": False, "data": None, "message": "invalid credentials."}),
    "402": (402, {"success": False, "data": None, "message": "Payment required."}),
    "429": (429, {"success": False, "data": None, "message": "Too Many Requests"}),
    "no": (200, {"success": False, "data": None, "message": "The sign is not yours."}),
    "no money": (200, {"result": "no credits"}),
    "rejected": (200, {"success": True, "data": {"status": 6}, "message": None}),
}
# It went out, and no answer says so.
LOST = ["502", "garbage", "not an object", "huge", "trickle", "slow", "cut off"]
# It did not, and no answer says so.
SILENT = ["500", "silent", "hung up"]


@dataclass
class Accepted:
    phone_number: str
    text: str
    key: str
    at: float = field(default_factory=time.time)

    @property
    def row(self) -> dict[str, Any]:
        return {
            "id": 12345,
            "from": "SMS Aero",
            "number": self.phone_number.removeprefix("+"),
            "text": self.text,
            "status": 0,
            "extendStatus": "queue",
            "channel": "FREE SIGN",
            "cost": "5.49",
            "dateCreate": int(self.at),
            "dateSend": int(self.at),
        }


class Provider(StandIn):
    def __init__(self) -> None:
        super().__init__(_Handler)
        self.accepted: list[Accepted] = []
        self.asked: list[str] = []  # the idempotency keys of all requests to send
        self.paths: list[str] = []
        self.bodies: list[dict[str, Any]] = []  # and what they asked for
        self.list_is_down = False
        self.status: Any = 0  # of every message
        self.status_fault = ""

    def accept(self, phone_number: str, text: str, key: str) -> dict[str, Any]:
        with self.lock:
            for old in self.accepted:
                if key and old.key == key:
                    return old.row
            self.accepted.append(Accepted(phone_number, text, key))
            return self.accepted[-1].row

    def sent_to(self, phone_number: str) -> list[str]:
        return [sms.text for sms in self.accepted if sms.phone_number == phone_number]


class _Handler(StandInHandler):
    server: Provider

    def reply(self, body: dict[str, Any]) -> None:
        credentials = b64encode(f"{EMAIL}:{KEY}".encode()).decode()
        if self.path == "/webhook":
            is_known = self.headers["Authorization"] == f"Bearer {SECRET}"
            phone_number, key = body["phone_number"], self.headers["Idempotency-Key"]
        else:
            is_known = self.headers["Authorization"] == f"Basic {credentials}"
            phone_number, key = f"+{body.get('number')}", ""
        if not is_known:
            self.answer(*REFUSALS["401"])
        elif self.path == "/v2/sms/list":
            self._list(phone_number, body["text"])
        elif self.path in ("/v2/sms/status", "/v2/telegram/status"):
            self._status(body["id"])
        else:
            self.server.asked.append(key)
            self.server.bodies.append(body)
            self.server.paths.append(self.path)
            self._send(phone_number, body["text"], key)

    def _send(self, phone_number: str, text: str, key: str) -> None:
        fault = self.server.next_fault(phone_number, "")
        if fault in REFUSALS:
            self.answer(*REFUSALS[fault])
            return
        if fault == "late":
            self.server.closing.wait(self.server.slow_seconds)
        if fault not in SILENT:
            row = self.server.accept(phone_number, text, key)
            if self.path == "/v2/telegram/send":
                code = self.server.bodies[-1]["code"]
                said = str(int(code) + 1) if fault == "other digits" else code
                row = {**row, "telegramCode": said, "idSms": None}
        if fault in ("", "late", "other digits"):
            self.answer(200, {"success": True, "data": row, "message": None})
        elif fault == "not an object":
            self.answer_raw(200, b"[" * 60_000)
        elif fault == "huge":
            self.answer_raw(200, b'{"success": true, "message": "' + b"x" * 2**24)
        elif fault == "trickle":
            self._trickle()
        else:
            self.fail(fault)

    def _list(self, phone_number: str, text: str) -> None:
        if self.server.list_is_down:
            self.answer_raw(500, b"")
            return
        rows = [
            {**sms.row, "status": self.server.status}
            for sms in self.server.accepted
            if sms.phone_number == phone_number and sms.text == text
        ]
        data: dict[str, Any] = {str(place): row for place, row in enumerate(rows)}
        data |= {"links": {"self": "/v2/sms/list?page=1"}, "totalCount": str(len(rows))}
        self.answer(200, {"success": True, "data": data, "message": None})

    def _status(self, message_id: int) -> None:
        if self.server.status_fault == "silent":
            self.server.closing.wait(self.server.slow_seconds)
        elif self.server.status_fault:
            self.answer_raw(int(self.server.status_fault), b"<h1>Bad Gateway</h1>")
        else:
            row = {**self.server.accepted[-1].row, "status": self.server.status}
            assert row["id"] == message_id
            self.answer(200, {"success": True, "data": row, "message": None})

    def _trickle(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        ends_at = time.monotonic() + self.server.slow_seconds
        while time.monotonic() < ends_at and not self.server.closing.wait(0.05):
            self.wfile.write(b"x")
            self.wfile.flush()
