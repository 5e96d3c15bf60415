"""An SMS provider on loopback that speaks SMS Aero's wire format, and a plain webhook.

`faults` says what befalls the next requests to send, by number or, under "", for all;
`accepted` is its log of the messages that went out.
"""

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

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


class Provider(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.accepted: list[Accepted] = []
        self.asked: list[str] = []  # the idempotency keys of all requests to send
        self.bodies: list[dict[str, Any]] = []  # and what they asked for
        self.faults: dict[str, list[str]] = {}
        self.list_is_down = False
        self.slow_seconds = 30.0
        self.lock = Lock()
        self.closing = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def accept(self, phone_number: str, text: str, key: str) -> dict[str, Any]:
        with self.lock:
            for old in self.accepted:
                if key and old.key == key:
                    return old.row
            self.accepted.append(Accepted(phone_number, text, key))
            return self.accepted[-1].row

    def next_fault(self, phone_number: str) -> str:
        with self.lock:
            waiting = self.faults.get(phone_number) or self.faults.get("") or [""]
            return waiting.pop(0)

    def sent_to(self, phone_number: str) -> list[str]:
        return [sms.text for sms in self.accepted if sms.phone_number == phone_number]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up on an answer that takes too long; so they should."""


@contextmanager
def provider() -> Iterator[Provider]:
    server = Provider()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        credentials = b64encode(f"{EMAIL}:{KEY}".encode()).decode()
        if self.path == "/webhook":
            is_known = self.headers["Authorization"] == f"Bearer {SECRET}"
            phone_number, key = body["phone_number"], self.headers["Idempotency-Key"]
        else:
            is_known = self.headers["Authorization"] == f"Basic {credentials}"
            phone_number, key = f"+{body['number']}", ""
        if not is_known:
            self._answer(*REFUSALS["401"])
        elif self.path == "/v2/sms/list":
            self._list(phone_number, body["text"])
        else:
            self.server.asked.append(key)
            self.server.bodies.append(body)
            self._send(phone_number, body["text"], key)

    def _send(self, phone_number: str, text: str, key: str) -> None:
        fault = self.server.next_fault(phone_number)
        if fault in REFUSALS:
            self._answer(*REFUSALS[fault])
            return
        if fault in ("silent", "late"):
            self.server.closing.wait(self.server.slow_seconds)
        if fault not in SILENT:
            row = self.server.accept(phone_number, text, key)
        if fault in ("", "late"):
            self._answer(200, {"success": True, "data": row, "message": None})
        elif fault in ("500", "502"):
            self._answer_raw(int(fault), b"<h1>Bad Gateway</h1>")
        elif fault == "garbage":
            self._answer_raw(200, b"<html>\xff\xfe welcome to the hotel's network")
        elif fault == "not an object":
            self._answer_raw(200, b"[" * 60_000)
        elif fault == "huge":
            self._answer_raw(200, b'{"success": true, "message": "' + b"x" * 2**24)
        elif fault == "trickle":
            self._trickle()
        elif fault == "slow":
            self.server.closing.wait(self.server.slow_seconds)
        elif fault == "cut off":
            self._answer_raw(200, b'{"success": tr', length=1000)
        # "hung up", "silent": no answer at all

    def _list(self, phone_number: str, text: str) -> None:
        if self.server.list_is_down:
            self._answer_raw(500, b"")
            return
        rows = [
            sms.row
            for sms in self.server.accepted
            if sms.phone_number == phone_number and sms.text == text
        ]
        data: dict[str, Any] = {str(place): row for place, row in enumerate(rows)}
        data |= {"links": {"self": "/v2/sms/list?page=1"}, "totalCount": str(len(rows))}
        self._answer(200, {"success": True, "data": data, "message": None})

    def _trickle(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        ends_at = time.monotonic() + self.server.slow_seconds
        while time.monotonic() < ends_at and not self.server.closing.wait(0.05):
            self.wfile.write(b"x")
            self.wfile.flush()

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self._answer_raw(status, json.dumps(body).encode())

    def _answer_raw(self, status: int, body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing to the console."""
