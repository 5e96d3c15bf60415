"""Telegram Gateway on loopback, in its own wire format.

`faults` says what befalls the next requests, by method, or by method and number;
`sent` is its log of the messages that went out, by request id.
"""

import hashlib
import hmac
import time
from typing import Any

from users.channels.tests.stand_in import StandIn, StandInHandler

TOKEN = "AAE-a-token-of-the-gateway"
ABILITY, SEND, STATUS = (
    "checkSendAbility",
    "sendVerificationMessage",
    "checkVerificationStatus",
)

# Nothing went out, and the answer says so.
ERRORS = [
    "ACCESS_TOKEN_INVALID",
    "BALANCE_NOT_ENOUGH",
    "PHONE_NUMBER_NOT_AVAILABLE",
    "FLOOD_WAIT_30",
    "CODE_INVALID",
]
# It went out, and no answer says so.
LOST = ["502", "garbage", "cut off", "not an object"]
# It did not, and no answer says so.
SILENT = ["500", "hung up", "silent"]


class Gateway(StandIn):
    def __init__(self) -> None:
        super().__init__(_Handler)
        self.sent: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.statuses: dict[str, str] = {}  # by request id; "sent" if it is not here
        self.requests = 0

    def methods(self) -> list[str]:
        return [method for method, _ in self.asked]

    def sent_to(self, phone_number: str) -> list[str]:
        messages = self.sent.values()
        return [m["code"] for m in messages if m["phone_number"] == phone_number]

    def request_status(self, request_id: str) -> dict[str, Any]:
        message = self.sent.get(request_id, {})
        status: dict[str, Any] = {
            "request_id": request_id,
            "phone_number": message.get("phone_number", ""),
            "request_cost": 0.01,
            "remaining_balance": 99.5,
        }
        if message:
            said = self.statuses.get(request_id, "sent")
            status["delivery_status"] = {"status": said, "updated_at": int(time.time())}
            status["payload"] = message["payload"]
        return status


def signed(body: bytes, *, at: float, token: str = TOKEN) -> dict[str, str]:
    """The headers of a callback."""
    timestamp = str(int(at))
    key = hashlib.sha256(token.encode()).digest()
    mac = hmac.new(key, f"{timestamp}\n".encode() + body, "sha256")
    return {
        "X-Request-Timestamp": timestamp,
        "X-Request-Signature": mac.hexdigest(),
    }


class _Handler(StandInHandler):
    server: Gateway

    def reply(self, body: dict[str, Any]) -> None:
        method = self.path.removeprefix("/")
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.answer(200, {"ok": False, "error": "ACCESS_TOKEN_INVALID"})
            return
        with self.server.lock:
            self.server.asked.append((method, body))
        fault = self.server.next_fault(f"{method} {body.get('phone_number')}", method)
        if fault in ERRORS:
            self.answer(200, {"ok": False, "error": fault})
            return
        request_id = body.get("request_id") or self._new_id()
        if method == SEND and fault not in SILENT:
            if request_id in self.server.sent:
                self.answer(200, {"ok": False, "error": "REQUEST_ID_USED"})
                return
            self.server.sent[request_id] = body
        if fault == "":
            result = self.server.request_status(request_id)
            self.answer(200, {"ok": True, "result": result})
        elif fault == "not an object":
            self.answer(200, {"ok": True, "result": [1]} if method != SEND else [1])
        else:
            self.fail(fault)

    def _new_id(self) -> str:
        with self.server.lock:
            self.server.requests += 1
            return f"9{self.server.requests:014}"
