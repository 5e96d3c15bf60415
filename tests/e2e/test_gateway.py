"""Gateways in front of other services, as docs/integration.md sets them up."""

import http.server
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.e2e.conftest import Server
from tests.e2e.proxy import _program, answering
from tests.e2e.test_docs import run
from tests.lab import servers
from tests.lab.shared import new_phone_number

GUIDE = servers.ROOT / "docs" / "integration.md"


def block(name: str) -> str:
    text = GUIDE.read_text(encoding="utf-8")
    found = re.search(rf"<!-- {name} -->\n```[^\n]*\n(.*?)^```$", text, re.M | re.S)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        key = folder / "jwt.pem"
        key.write_bytes(pem)
        settings = {
            **running.enter_context(servers.postgresql(folder)).env,
            **running.enter_context(servers.redis(folder)).env,
            **servers.production(folder),
            "JWT_PRIVATE_KEY_FILE": str(key),
            "SMS_SIMULATED_DELAY": "0",
            "WEB_WORKERS": "1",
        }
        web = running.enter_context(servers.web(folder, settings))
        yield Server(web.env["BASE_URL"])


class Upstream(http.server.BaseHTTPRequestHandler):
    """Says which user the gateway named."""

    def do_GET(self) -> None:
        body = self.headers.get("X-User-Id", "nobody").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815  the name that http.server looks for

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def gateway(server: Server) -> Iterator[str]:
    port = servers.free_port()
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        running.enter_context(upstream)
        running.enter_context(answering(upstream))
        locations = block("nginx")
        for shipped, here in (
            ("http://app.internal:9000", f"http://127.0.0.1:{upstream.server_port}"),
            ("http://referral.internal:8000", server.base_url),
            ("referral.example.com", "127.0.0.1"),
        ):
            assert shipped in locations
            locations = locations.replace(shipped, here)
        paths = "".join(
            f"{name}_temp_path {folder}/{name};\n"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        configuration = folder / "nginx.conf"
        configuration.write_text(
            f"pid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}"
            f"server {{\nlisten 127.0.0.1:{port};\n{locations}}}\n}}\n"
        )
        as_root = " user root;" if os.geteuid() == 0 else ""
        command = [_program(), "-e", "/dev/stderr", "-c", configuration]
        command += ["-g", f"daemon off;{as_root}"]
        running.enter_context(servers.spawn(command, folder / "nginx.log"))
        servers.wait_for_port(port)
        yield f"http://127.0.0.1:{port}/"


def pair_of(server: Server) -> dict[str, Any]:
    phone = new_phone_number()
    body = {"phone_number": phone, "code": server.ask_for_code(phone)}
    answer = server.post("/api/auth/jwt/create/", body)
    assert answer.status_code == 200
    pair: dict[str, Any] = answer.json()
    return pair


def test_nginx_of_the_guide_asks_who_it_is(server: Server) -> None:
    pair = pair_of(server)
    with gateway(server) as url:

        def ask(token: str, method: str = "GET") -> requests.Response:
            headers = {
                "X-User-Id": "1000",
                "Accept": "text/html",
                "Content-Encoding": "gzip",  # of an upload, which nginx keeps back
            }
            if token:
                headers["Authorization"] = f"Bearer {token}"
            body = b"x" * 1000 if method == "POST" else None
            return requests.request(method, url, headers=headers, data=body, timeout=20)

        for method in ("GET", "POST"):
            answer = ask(pair["access"], method)
            expected = (200, str(pair["user"]["id"]))
            assert (answer.status_code, answer.text) == expected
        for bad in ("", "wrong", pair["refresh"], pair["access"][:-4] + "AAAA"):
            assert ask(bad).status_code == 401
        headers = {"Authorization": f"Bearer {pair['access']}"}
        url_of_logout = f"{server.base_url}/api/auth/logout/"
        assert requests.post(url_of_logout, headers=headers, timeout=20).ok
        assert ask(pair["access"]).status_code == 401


def test_python_of_the_guide_checks_the_signature(server: Server) -> None:
    pair = pair_of(server)
    script = block("joserfc") + (
        f"print(user_id({pair['access']!r}))\n"
        f"for token in ({pair['refresh']!r}, {pair['access'][:-4] + 'AAAA'!r}):\n"
        "    try:\n"
        "        print(user_id(token))\n"
        "    except Exception as error:\n"
        "        print('refused')\n"
    )
    seen = run(server, script, sys.executable, "-")
    assert seen == f"{pair['user']['id']}\nrefused\nrefused\n"
