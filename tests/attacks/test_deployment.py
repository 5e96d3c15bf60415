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
    assert occupied <= 1000
    assert left == 0


def raw(url: str, request: bytes, tls: ssl.SSLContext | None = None) -> str:
    with ExitStack() as opened:
        client = opened.enter_context(socket.create_connection(place(url), 5))
        if tls:
            client = opened.enter_context(tls.wrap_socket(client))
        client.settimeout(10)
        answer = b""
        with suppress(OSError):
            client.sendall(request)
            while part := client.recv(65536):
                answer += part
        return answer.decode(errors="replace")


def unverified() -> ssl.SSLContext:
    """The certificate in these tests is signed by nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def head(answer: str) -> tuple[str, dict[str, str], list[str]]:
    """Status, headers, and names of headers that occur twice."""
    lines = answer.split("\r\n\r\n")[0].split("\r\n")
    pairs = [line.partition(": ")[::2] for line in lines[1:]]
    counts = Counter(name.lower() for name, _ in pairs)
    twice = [name for name, count in counts.items() if count > 1]
    return lines[0][9:12], dict(pairs), twice


GET = b"GET /%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n"
REFUSED = {
    "400": b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n",
    "400 long header": GET % (b"", b"X-Long: " + b"a" * 9000 + b"\r\n"),
    "413": GET % (b"", b"Content-Length: 2000000\r\n"),
    "413 of the API": GET % (b"api/", b"Content-Length: 2000000\r\n"),
    "414": GET % (b"a" * 9000, b""),
}


@pytest.mark.parametrize("way", ["HTTP", "HTTPS"])
def test_t39_errors_of_nginx_have_security_headers(
    site: dict[str, str], report: Report, way: str
) -> None:
    context = unverified() if way == "HTTPS" else None
    expected = dict(OWN_HEADERS)
    if context:
        expected["Strict-Transport-Security"] = "max-age=31536000"
    seen = {}
    for name, request in REFUSED.items():
        status, headers, twice = head(raw(site[way], request, context))
        assert status[0] in "45", name
        right = twice == [] and expected.items() <= headers.items()
        seen[name] = status if right else (status, headers)
        assert context or "Strict-Transport-Security" not in headers
    report("T39", f"{len(REFUSED)} errors of nginx over {way}", str(seen))
    assert all(isinstance(status, str) for status in seen.values()), seen


@pytest.mark.parametrize("way", ["HTTP", "HTTPS"])
def test_t39_headers_of_the_service_are_not_doubled(
    site: dict[str, str], way: str
) -> None:
    context = unverified() if way == "HTTPS" else None
    status, headers, twice = head(raw(site[way], GET % (b"", b""), context))
    assert (status, twice) == ("200", [])
    assert OWN_HEADERS.items() <= headers.items()
    assert headers["X-Seen"] == "127.0.0.1"
    assert "Strict-Transport-Security" not in headers  # left to the service


@pytest.mark.parametrize("path", ["/", "/api/profile/"])
def test_t39_nginx_without_service_answers_with_security_headers(
    tmp_path: Path, report: Report, path: str
) -> None:
    nobody = servers.free_port()
    with proxy.nginx(tmp_path, ["127.0.0.1"], nobody) as front:
        answer = requests.get(front.env["BASE_URL"] + path, timeout=10)
    report("T39", f"{path} while no web server runs", str(answer.status_code))
    assert answer.status_code == 503
    assert OWN_HEADERS.items() <= answer.headers.items()
    assert answer.headers["Retry-After"] == "5"


def handshake(url: str, *arguments: str) -> str:
    host, port = place(url)
    command = ["openssl", "s_client", "-connect", f"{host}:{port}", *arguments]
    done = subprocess.run(
        command, input="", capture_output=True, text=True, check=False, timeout=20
    )
    for line in done.stdout.splitlines():
        if line.startswith("New, ") and "(NONE)" not in line:
            return line.split("Cipher is ")[1]
    return "refused"


WEAK = [
    ["-tls1_2", "-cipher", "AES128-GCM-SHA256"],
    ["-tls1_2", "-cipher", "AES256-SHA"],
    ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA"],
    ["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"],
    ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
    ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
]


def test_t39_tls_has_forward_secrecy_and_authenticated_encryption(
    site: dict[str, str], report: Report
) -> None:
    url = site["HTTPS"]
    weak = {" ".join(each): handshake(url, *each) for each in WEAK}
    strong = [handshake(url, "-tls1_2"), handshake(url, "-tls1_3")]
    report(
        "T39",
        f"{len(WEAK)} handshakes with weak ciphers or old TLS",
        f"{Counter(weak.values())}; 1.2 and 1.3: {strong}",
    )
    assert set(weak.values()) == {"refused"}, weak
    assert strong[0].startswith("ECDHE-")
    assert strong[1].startswith("TLS_")


FORWARDED = [
    {"SCRIPT_NAME": "/x"},
    {"SCRIPT_NAME": "/api"},
    {"PATH_INFO": "/admin/"},
    {"SCRIPT-NAME": "/x"},
    {"X-Forwarded-Proto": "http", "X-Forwarded-Ssl": "on"},
]


def test_t39_headers_do_not_change_path_or_scheme(lab: Lab, report: Report) -> None:
    """The client's address is 127.0.0.1, which gunicorn trusts by default."""
    url = lab.target.base_url + "/i/EVIL00/"
    plain = requests.get(url, timeout=10, allow_redirects=False)
    changed = []
    for headers in FORWARDED:
        answer = requests.get(url, headers=headers, timeout=10, allow_redirects=False)
        same = (answer.status_code, answer.headers.get("Location")) == (
            plain.status_code,
            plain.headers.get("Location"),
        )
        if not same:
            changed.append((headers, answer.status_code))
    report("T39", f"{len(FORWARDED)} headers for path or scheme", f"{changed} changed")
    assert changed == []
