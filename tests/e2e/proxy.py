"""nginx with the shipped configuration, in front of servers on loopback.

Only ports, folders and the DNS server are replaced in the configuration. A small DNS
server in this module answers with the addresses of the test's servers.
"""

import os
import shutil
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.lab import servers

NGINX = servers.ROOT / "deploy" / "nginx" / "nginx.conf.template"
TLS = servers.ROOT / "deploy" / "tls"
# Debian's nginx loads it; in the official image it is built in.
STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")


@contextmanager
def nginx(
    folder: Path, hosts: Sequence[str], port: int, *, certificates: Path | None = None
) -> Iterator[servers.Service]:
    """Pass requests on to that port of the hosts. The log names the host.

    With a folder of certificates also listens for TLS, as TLS_URL.
    """
    way = "on" if certificates else "off"
    own_port, tls_port = servers.free_port(), servers.free_port()
    log = folder / f"nginx-{own_port}.log"
    # Several proxies may run on one folder.
    temporary = folder / f"nginx-{own_port}"
    temporary.mkdir()
    places = {"/tmp/": f"{temporary}/"}  # noqa: S108  the container's folder
    served = dict(places)
    accepted = {**places, "listen 8000": f"listen 127.0.0.1:{own_port}"}
    if certificates:
        served |= {"/etc/nginx/certificates": str(certificates), "http2 on;": ""}
        accepted |= {"listen 8443": f"listen 127.0.0.1:{tls_port}"}
    for name, changes in ((f"{way}.conf", served), (f"{way}.accept", accepted)):
        (temporary / name).write_text(_replaced(TLS / name, changes))
    configuration = folder / f"nginx-{own_port}.conf"
    with _dns(hosts) as dns_port:
        places |= {
            "/etc/nginx/tls": str(temporary),
            "${TLS}": way,
            "127.0.0.1:8001": f"127.0.0.1:{servers.free_port()}",
            "${NGINX_LOCAL_RESOLVERS}": f"127.0.0.1:{dns_port}",
            "http://web:8000": f"http://web:{port}",
        }
        load = f"load_module {STREAM};\n" if STREAM.exists() else ""
        configuration.write_text(load + _replaced(NGINX, places))
        command = [_program(), "-e", "/dev/stderr", "-c", configuration]
        # The unprivileged user of root's nginx could not open the temporary folder.
        as_root = " user root;" if os.geteuid() == 0 else ""
        command += ["-g", f"daemon off;{as_root}"]
        with servers.spawn(command, log) as process:
            servers.wait_for_port(own_port)
            env = {"BASE_URL": f"http://127.0.0.1:{own_port}"}
            if certificates:
                env["TLS_URL"] = f"https://127.0.0.1:{tls_port}"
            yield servers.Service(env, process, log)


def _replaced(file: Path, places: dict[str, str]) -> str:
    text = file.read_text(encoding="utf-8")
    for shipped, here in places.items():
        assert shipped in text, f"{file}: no {shipped}"
        text = text.replace(shipped, here)
    return text


def _program() -> str:
    # Debian installs it outside the PATH of ordinary users.
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert found, "Install nginx (Debian and Ubuntu: nginx-light, libnginx-mod-stream)."
    return found


@contextmanager
def _dns(hosts: Sequence[str]) -> Iterator[int]:
    """Answer every question with the addresses of all hosts."""

    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            question, reply_to = self.request
            # The question: "web" with its length, end of name, type A, class IN.
            name_and_type = question[12 : 12 + len(b"\3web\0") + 4]
            head = question[:2] + b"\x81\x80\0\1" + len(hosts).to_bytes(2) + bytes(4)
            found = [
                b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + bytes(map(int, host.split(".")))
                for host in hosts
            ]
            reply_to.sendto(head + name_and_type + b"".join(found), self.client_address)

    server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Answer)
    with server, answering(server):
        yield server.server_address[1]


@contextmanager
def answering(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
