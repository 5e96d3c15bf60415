"""People who sign up and activate invite codes, while something happens to a server."""

import threading
import time
from dataclasses import dataclass, field

from tests.e2e.conftest import Answer, Server
from tests.lab.shared import new_phone_number

CLIENTS = 8


@dataclass(frozen=True, slots=True)
class Seen:
    path: str
    answer: Answer
    start: float
    end: float


@dataclass
class Load:
    """Each signs up, activates the code of the one before, and looks at the profile."""

    server: Server
    signed_up: dict[int, str] = field(default_factory=dict)  # numbers by id
    activated: dict[int, str] = field(default_factory=dict)  # codes by invitee
    seen: list[Seen] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Load":
        self.threads = [threading.Thread(target=self._go) for _ in range(CLIENTS)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def succeeded_since(self, moment: float) -> list[Seen]:
        return [
            seen
            for seen in list(self.seen)
            if seen.start > moment and seen.answer.ok and "verify" in seen.path
        ]

    def slowest_since(self, moment: float) -> float:
        return max(s.end - s.start for s in self.seen if s.end > moment)

    def _go(self) -> None:
        invite_code = ""
        while not self.stopping.wait(0.05):
            invite_code = self._one_person(invite_code) or invite_code

    def _one_person(self, invite_code: str) -> str | None:
        """Whom the next person can activate."""
        body = {"phone_number": new_phone_number()}
        sent = self._note("/api/auth/request-code/", body)
        if not sent.ok:
            return None
        body["code"] = sent.json()["dev_code"]
        signed_in = self._note("/api/auth/verify-code/", body)
        if not signed_in.ok:
            return None
        token, user = signed_in.json()["token"], signed_in.json()["user"]
        self.signed_up[user["id"]] = body["phone_number"]
        if invite_code:
            body = {"invite_code": invite_code}
            if self._note("/api/profile/", body, token).ok:
                self.activated[user["id"]] = invite_code
        self._note("/api/profile/", None, token)
        code: str = user["invite_code"]
        return code

    def _note(self, path: str, body: dict[str, str] | None, token: str = "") -> Answer:
        start = time.monotonic()
        server = self.server
        answer = server.post(path, body, token) if body else server.get(path, token)
        self.seen.append(Seen(path, answer, start, time.monotonic()))
        return answer
