"""Two servers of PostgreSQL under Patroni, which agree through etcd who is the primary.

Debian's programs, with the settings of docs/deployment.md, on ports of their own.
"""

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests
import yaml

from tests.lab import servers

PAGE = (servers.ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
START_SECONDS = 60


@contextmanager
def etcd(folder: Path) -> Iterator[int]:
    port = servers.free_port()
    client, peer = (
        f"http://127.0.0.1:{number}" for number in (port, servers.free_port())
    )
    command = ["etcd", "--name=one", f"--data-dir={folder / 'etcd'}"]
    command += [f"--listen-client-urls={client}", f"--advertise-client-urls={client}"]
    command += [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"]
    command += [f"--initial-cluster=one={peer}", "--unsafe-no-fsync"]
    with servers.spawn(command, folder / "etcd.log"):
        servers.wait_for_port(port)
        yield port


@dataclass(slots=True)
class Member:
    """A server of PostgreSQL with its Patroni."""

    name: str
    folder: Path
    etcd_port: int
    port: int = field(default_factory=servers.free_port)
    api_port: int = field(default_factory=servers.free_port)
    patroni: subprocess.Popen[bytes] | None = None

    @property
    def database_url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def data(self) -> Path:
        return self.folder / self.name / "data"

    @contextmanager
    def run(self) -> Iterator[None]:
        home, user = self.folder / self.name, servers.unprivileged_user()
        home.mkdir(exist_ok=True)
        configuration = home / "patroni.yml"
        configuration.write_text(yaml.safe_dump(self._configuration()))
        if user:
            shutil.chown(home, user)
        log = self.folder / f"patroni-{self.name}.log"
        command = ["/usr/bin/patroni", configuration]
        stop = signal.SIGTERM
        try:
            with servers.spawn(command, log, user=user, stop=stop) as self.patroni:
                yield
        finally:
            self._kill_postgresql()

    def is_(self, role: str) -> bool:
        """`role` is a path of Patroni's API, such as primary or sync."""
        url = f"http://127.0.0.1:{self.api_port}/{role}"
        with suppress(requests.RequestException):
            return requests.get(url, timeout=2).ok
        return False

    def kill(self) -> None:
        """Kill Patroni and PostgreSQL, as if the machine had lost its power."""
        assert self.patroni
        self.patroni.kill()
        self.patroni.wait()
        self._kill_postgresql()

    def _kill_postgresql(self) -> None:
        with suppress(OSError, ValueError, IndexError, psutil.Error):
            first = (self.data / "postmaster.pid").read_text().splitlines()[0]
            postmaster = psutil.Process(int(first))
            if "postgres" not in postmaster.name():
                return
            for process in [postmaster, *postmaster.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    def _configuration(self) -> dict[str, Any]:
        documented = re.search(r"<!-- patroni -->\n```yaml\n(.+?)```", PAGE, re.DOTALL)
        assert documented
        account = {"username": "postgres"}
        return {
            "scope": "referral",
            "name": self.name,
            "restapi": _addresses(self.api_port),
            "etcd3": {"host": f"127.0.0.1:{self.etcd_port}"},
            "bootstrap": {
                **yaml.safe_load(documented[1])["bootstrap"],
                "initdb": ["data-checksums", {"auth": "trust"}],
            },
            "postgresql": {
                **_addresses(self.port),
                "bin_dir": str(Path(servers.postgres_tool("pg_controldata")).parent),
                "data_dir": str(self.data),
                "pgpass": str(self.folder / self.name / "pgpass"),
                "authentication": {
                    **{"superuser": account, "replication": account, "rewind": account}
                },
                "pg_hba": [
                    "host all all 127.0.0.1/32 trust",
                    "host replication all 127.0.0.1/32 trust",
                ],
                "parameters": {"unix_socket_directories": "", "fsync": "off"},
            },
        }


def _addresses(port: int) -> dict[str, str]:
    address = f"127.0.0.1:{port}"
    return {"listen": address, "connect_address": address}


@dataclass(frozen=True, slots=True)
class Cluster:
    members: list[Member]
    running: ExitStack

    @property
    def env(self) -> servers.Env:
        """As documented: the server that takes writes, and one that does not."""
        hosts = ",".join("127.0.0.1" for _ in self.members)
        ports = ",".join(str(member.port) for member in self.members)
        url = f"postgresql://postgres@/postgres?host={hosts}&port={ports}"
        return {
            "DATABASE_URL": f"{url}&target_session_attrs=read-write",
            "REPLICA_DATABASE_URL": f"{url}&target_session_attrs=standby",
        }

    def member(self, role: str) -> Member:
        return next(member for member in self.members if member.is_(role))

    def start(self, member: Member) -> None:
        self.running.enter_context(member.run())

    def wait_for_pair(self) -> None:
        """Wait for a primary, and for a standby that confirms each commit."""
        wait_until(lambda: any(member.is_("primary") for member in self.members))
        wait_until(lambda: any(member.is_("sync") for member in self.members))


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"did not happen within {START_SECONDS} s")
        time.sleep(0.1)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    with ExitStack() as running:
        folder.chmod(0o711)  # PostgreSQL's user must get through to its own folders
        port = running.enter_context(etcd(folder))
        found = Cluster([Member(name, folder, port) for name in ("a", "b")], running)
        for member in found.members:
            found.start(member)
        found.wait_for_pair()
        yield found
