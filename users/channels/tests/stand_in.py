"""Providers on loopback that tests can make fail.

`faults` of a stand-in says what goes wrong with the next requests.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Self


class StandIn(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.faults: dict[str, list[str]] = {}
        self.slow_seconds = 12.0  # longer than the service may wait
        self.lock = Lock()
        self.closing = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @contextmanager
    def running(self) -> Iterator[Self]:
        thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self.closing.set()
            self.shutdown()
            self.server_close()
            thread.join()

    def next_fault(self, *keys: str) -> str:
        """Of the first key that has any left; "" if none has."""
        with self.lock:
            waiting = next(
                (found for key in keys if (found := self.faults.get(key))), [""]
            )
            return waiting.pop(0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up on an answer that takes too long; so they should."""


class StandInHandler(BaseHTTPRequestHandler):
    server: StandIn

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.reply(json.loads(self.rfile.read(length)))

    def reply(self, body: dict[str, Any]) -> None:
        raise NotImplementedError

    def fail(self, fault: str) -> None:
        """Answer with one of the faults that every provider can have."""
        if fault in ("500", "502"):
            self.answer_raw(int(fault), b"<h1>Bad Gateway</h1>")
        elif fault == "garbage":
            self.answer_raw(200, b"<html>\xff\xfe welcome to the hotel's network")
        elif fault == "cut off":
            self.answer_raw(200, b'{"status": tr', length=1000)
        elif fault in ("silent", "slow"):
            self.server.closing.wait(self.server.slow_seconds)
        else:
            assert fault == "hung up", fault  # no answer at all

    def answer(self, status: int, body: Any) -> None:
        self.answer_raw(status, json.dumps(body).encode())

    def answer_raw(self, status: int, body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing to the console."""
