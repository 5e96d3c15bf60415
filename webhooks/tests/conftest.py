"""A receiver on this machine, and the service set up to send to it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from django.conf import LazySettings
from standardwebhooks import Webhook

SECRET = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER_SECRET = "whsec_" + "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="


@dataclass
class Receiver:
    """Answers with `status`; holds answers back while `open` is not set."""

    url: str
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    open: Event = field(default_factory=Event)
    # A request is noted before it is answered.
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        """What came, once its signature is verified."""
        return [
            Webhook(SECRET).verify(body, headers) for headers, body in self.requests
        ]


@pytest.fixture(name="receiver")
def run_receiver(settings: LazySettings) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.requests.append((dict(self.headers), body))
            receiver.open.wait(timeout=20)
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
        receiver.open.set()
        settings.WEBHOOK_URL = receiver.url
        settings.WEBHOOK_SECRETS = [SECRET]
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield receiver
        receiver.open.set()
        server.shutdown()
