"""T29, T39: the shipped nginx and the web server, attacked over raw sockets."""

import socket
import socketserver
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.attacks.conftest import Lab, Report
from tests.e2e import proxy
from tests.lab import servers

HALF_HEADS = 4_300
OTHERS = [f"127.0.1.{n}" for n in range(1, 11)]
OWN_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Web(BaseHTTPRequestHandler):
    """Stands for a web container: sets the service's headers."""

    def do_GET(self) -> None:
        self.send_response(200)
        for name, value in OWN_HEADERS.items():
            self.send_header(name, value)
        self.send_header("X-Seen", self.headers["X-Forwarded-For"])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """nginx as shipped, with TLS, in front of one web server."""
    folder = tmp_path_factory.mktemp("site")
    certificate(folder)
    with ExitStack() as running:
        web = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Web)
        running.enter_context(web)
        running.enter_context(proxy.answering(web))
        port = web.server_address[1]
        plain = running.enter_context(proxy.nginx(folder, ["127.0.0.1"], port))
        tls = running.enter_context(
            proxy.nginx(folder, ["127.0.0.1"], port, certificates=folder)
        )
        yield {"HTTP": plain.env["BASE_URL"], "HTTPS": tls.env["TLS_URL"]}


def certificate(folder: Path) -> None:
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1"
    command += f" -keyout {folder}/privkey.pem -out {folder}/fullchain.pem"
    subprocess.run(command.split(), check=True, capture_output=True, timeout=60)


def place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def connect(url: str, source: str) -> socket.socket:
    return socket.create_connection(place(url), 5, source_address=(source, 0))


def ask(url: str, source: str) -> str:
    """Status and the address that the web server was told, or the error."""
    head = b"GET /api/profile/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    try:
        with connect(url, source) as client:
            client.sendall(head)
            answer = b""
            while part := client.recv(65536):
                answer += part
    except OSError as error:
        return type(error).__name__
    seen = f"X-Seen: {source}".encode() in answer
    return answer[9:12].decode() + (" own address" if seen else "")


def is_open(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def send_half_heads(held: ExitStack, url: str, source: str) -> list[socket.socket]:
    clients = []
    for _ in range(HALF_HEADS):
        with suppress(OSError):
            client = held.enter_context(connect(url, source))
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Half: ")
            clients.append(client)
    return clients


def test_t29_half_sent_heads_of_one_address_shut_nobody_out(
    site: dict[str, str], report: Report
) -> None:
    url = site["HTTP"]
    with ExitStack() as held:
        clients = send_half_heads(held, url, "127.0.0.9")
        start = time.monotonic()
        answers = Counter(ask(url, source) for source in OTHERS)
        waited = time.monotonic() - start
        occupied = sum(map(is_open, clients))
        time.sleep(6.5)
        left = sum(map(is_open, clients))
    report(
        "T29",
        f"{HALF_HEADS} half-sent heads of one address; 10 others ask",
        f"{occupied} held, after 6.5 s {left}; others {dict(answers)}"
        f" in {waited:.2f} s",
    )
    assert answers == {"200 own address": 10}
    assert waited < 5
    assert occupied <= 500
    assert left == 0
