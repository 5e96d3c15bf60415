"""uCaller on loopback, in its own wire format: POST /v1.0/initCall and getInfo.

`faults` says what befalls the next calls, by number; `calls` is its log of the calls
that were made, by `unique`.
"""

from typing import Any

from users.channels.tests.stand_in import StandIn, StandInHandler

SERVICE, KEY = "103000", "k" * 32

# No call was made, and the answer says so.
REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "credentials": (401, {"status": False, "error": "Wrong key.", "code": 2}),
    "no money": (200, {"status": False, "error": "No money.", "code": 1002}),
    "number": (200, {"status": False, "error": "Bad +79990000001", "code": 3}),
    "country": (200, {"status": False, "error": "Not allowed.", "code": 9}),
    "too often": (429, {"status": False, "error": "4 a minute.", "code": 18}),
    "down": (200, {"status": False, "error": "Unavailable.", "code": 1000}),
    "odd code": (200, {"status": False, "error": "Odd.", "code": [1]}),
}
# A call was made, and no answer says so.
LOST = ["502", "garbage", "cut off"]
# None was, and no answer says so.
SILENT = ["500", "hung up", "silent", "nothing"]


class UCaller(StandIn):
    def __init__(self) -> None:
        super().__init__(_Handler)
        self.calls: dict[str, dict[str, Any]] = {}
        self.asked: list[dict[str, Any]] = []
        self.call_status: Any = -1  # of every call

    @property
    def url(self) -> str:
        return f"{super().url}/v1.0"

    def called(self, phone_number: str) -> list[str]:
        """The last digits of the numbers that called it."""
        phone = int(phone_number.removeprefix("+"))
        return [call["code"] for call in self.calls.values() if call["phone"] == phone]


class _Handler(StandInHandler):
    server: UCaller

    def reply(self, body: dict[str, Any]) -> None:
        if self.headers["Authorization"] != f"Bearer {KEY}.{SERVICE}":
            self.answer(*REFUSALS["credentials"])
            return
        if self.path == "/v1.0/getInfo":
            info = {"status": True, "ucaller_id": body["uid"]}
            self.answer(200, {**info, "call_status": self.server.call_status})
            return
        with self.server.lock:
            self.server.asked.append(body)
        fault = self.server.next_fault(f"+{body['phone']}")
        if fault in REFUSALS:
            self.answer(*REFUSALS[fault])
            return
        answer = {"status": True, "ucaller_id": 103000, **body}
        answer["unique_request_id"] = answer.pop("unique")
        if fault not in SILENT:
            with self.server.lock:
                answer["exists"] = body["unique"] in self.server.calls
                self.server.calls.setdefault(body["unique"], body)
        if fault == "":
            self.answer(200, answer)
        elif fault == "nothing":
            self.answer(200, {})
        elif fault == "number for a code":
            self.answer(200, {**answer, "code": int(body["code"])})
        elif fault == "other digits":
            self.answer(200, {**answer, "code": "0000"})
        elif fault == "status false":
            self.answer(200, {**answer, "status": False})
        else:
            self.fail(fault)
