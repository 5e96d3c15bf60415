"""A private stack for tests: own ports, own temporary folder, always stopped.

    python -m tests.lab.servers services COMMAND…   PostgreSQL and Redis
    python -m tests.lab.servers cluster COMMAND…    PostgreSQL and a Redis Cluster
    python -m tests.lab.servers real COMMAND…       … and gunicorn, as in production
    python -m tests.lab.servers embedded COMMAND…   the zero-install default: SQLite

COMMAND runs with DATABASE_URL and REDIS_URL, and with BASE_URL and STAFF_TOKEN where a
server runs.
"""

import glob
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 30
STOP_SECONDS = 30  # more than gunicorn's graceful_timeout

Env = dict[str, str]


@dataclass(frozen=True, slots=True)
class Service:
    """A running server: how others find it, and the process, to be killed in tests."""

    env: Env
    process: subprocess.Popen[bytes]
    log: Path
    port: int = 0


@contextmanager
def postgresql(
    folder: Path, port: int | None = None, more: Env | None = None
) -> Iterator[Service]:
    """On the data that stands in the folder, or on new."""
    data, port, user = folder / "pg", port or free_port(), unprivileged_user()
    if not data.exists():
        data.mkdir()
        if user:
            shutil.chown(data, user)
            folder.chmod(0o711)  # that user must get through to its own folder
        initdb = postgres_tool("initdb")
        options = ["-U", "postgres", "-A", "trust", "--no-sync"]
        _run_as(user, initdb, "-D", data, *options)
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "max_connections": "500",  # several servers may run on it
        **(more or {}),
    }
    given = [part for item in settings.items() for part in ("-c", "=".join(item))]
    command = [postgres_tool("postgres"), "-D", data, "-p", port, *given]
    log = folder / "postgresql.log"
    with spawn(command, log, user=user) as process:
        wait_for_postgresql(port)
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        # The port may have been that of an earlier server, with other databases.
        for migrated in [known for known in _migrated if f":{port}/" in known]:
            _migrated.discard(migrated)
        yield Service({"DATABASE_URL": url}, process, log)


@contextmanager
def redis(folder: Path, port: int | None = None) -> Iterator[Service]:
    port = port or free_port()
    log = folder / "redis.log"
    command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", folder]
    with spawn([*command, "--save", "", "--appendonly", "yes"], log) as process:
        wait_for_port(port)
        yield Service({"REDIS_URL": f"redis://127.0.0.1:{port}/0"}, process, log)


@contextmanager
def redis_cluster(folder: Path, masters: int = 3) -> Iterator[list[Service]]:
    """Its masters, each with the URL of the whole cluster."""
    with ExitStack() as running:
        ports, nodes = [free_port() for _ in range(masters)], []
        for port in ports:
            nodes.append(running.enter_context(redis_cluster_node(folder, port)))
        addresses = [f"127.0.0.1:{port}" for port in ports]
        redis_cli("--cluster", "create", *addresses, "--cluster-yes")
        wait_for_cluster(ports)
        env = {"REDIS_URL": f"redis+cluster://{','.join(addresses)}"}
        yield [replace(node, env=env) for node in nodes]


# After so long without an answer a node counts as failed; Redis's default is 15000.
CLUSTER_NODE_TIMEOUT_MS = 2000


@contextmanager
def redis_cluster_node(folder: Path, port: int) -> Iterator[Service]:
    own = folder / f"node-{port}"
    own.mkdir()
    command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", own]
    command += ["--save", "", "--appendonly", "yes", "--cluster-enabled", "yes"]
    command += ["--cluster-port", free_port()]
    command += ["--cluster-node-timeout", CLUSTER_NODE_TIMEOUT_MS]
    with spawn(command, own / "redis.log") as process:
        wait_for_port(port)
        yield Service({}, process, own / "redis.log", port)


@contextmanager
def replica_of(master: Service, folder: Path) -> Iterator[Service]:
    """One more node of the cluster, once it has the master's data."""
    master_port, port = master.port, free_port()
    with redis_cluster_node(folder, port) as node:
        master_id = redis_cli("-p", master_port, "cluster", "myid").strip()
        redis_cli(
            *("--cluster", "add-node", f"127.0.0.1:{port}"),
            *(f"127.0.0.1:{master_port}", "--cluster-slave"),
            *("--cluster-master-id", master_id),
        )
        deadline = time.monotonic() + START_SECONDS
        while "master_link_status:up" not in redis_cli("-p", port, "info"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no replica after {START_SECONDS} s")
            time.sleep(0.1)
        yield node


def redis_cli(*arguments: object) -> str:
    command = ["redis-cli", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def wait_for_cluster(ports: Sequence[int]) -> None:
    deadline = time.monotonic() + START_SECONDS
    for port in ports:
        while "cluster_state:ok" not in redis_cli("-p", port, "cluster", "info"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no Redis Cluster after {START_SECONDS} s")
            time.sleep(0.1)


@contextmanager
def web(folder: Path, settings: Env) -> Iterator[Service]:
    with serve(folder, prepare(settings)) as service:
        yield replace(service, env={**settings, **service.env})


def has_static_files(env: Env) -> bool:
    return (Path(env["STATIC_ROOT"]) / "staticfiles.json").exists()


# URLs of databases that this process has migrated already.
_migrated: set[str] = set()


def prepare(settings: Env) -> Env:
    """The web server's environment. The first time, migrates and collects files."""
    env = {
        "DJANGO_SETTINGS_MODULE": "config.settings",  # not what a test run may have set
        "ENV_FILE": os.devnull,
        "SMS_BACKEND": "users.channels.console.ConsoleBackend",
        "PORT": str(free_port()),
        **settings,
    }
    if env["DATABASE_URL"] not in _migrated:
        manage(env, "migrate", "--verbosity=0")
        _migrated.add(env["DATABASE_URL"])
    if env["DEBUG"] == "off" and not has_static_files(env):
        manage(env, "collectstatic", "--noinput", "--verbosity=0")
    return env


@contextmanager
def serve(folder: Path, env: Env, host: str = "127.0.0.1") -> Iterator[Service]:
    """Servers on the same port, at different hosts of 127.0.0.0/8, share a log."""
    gunicorn = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "config/server/gunicorn.conf.py",
    ]
    gunicorn += ["--bind", f"{host}:{env['PORT']}"]
    log = folder / f"web-{env['PORT']}.log"
    # At SIGINT a gthread worker can lock itself out for good; SIGTERM is production's.
    stop = signal.SIGTERM
    with spawn([*gunicorn, "config.wsgi"], log, env=env, stop=stop) as process:
        base_url = f"http://{host}:{env['PORT']}"
        wait_for_port(int(env["PORT"]), host)
        requests.get(f"{base_url}/readyz", timeout=START_SECONDS).raise_for_status()
        yield Service({"BASE_URL": base_url}, process, log)


# All tests of a server share one address, and would use up what an address may do.
ONE_ADDRESS = {
    "LIMIT_SENDS_PER_ADDRESS": "",
    "LIMIT_PHONES_PER_ADDRESS": "",
    "LIMIT_SENDS_PER_NETWORK": "",
    "LOGIN_CODE_GROWTH_PER_CLIENT": "",
    "LOGIN_CODE_GROWTH_OVERALL": "",
}


def production(folder: Path) -> Env:
    """As deployed, but without TLS and second factor, and with codes shown."""
    return {
        **ONE_ADDRESS,
        "STATIC_ROOT": str(folder / "static"),
        "DEBUG": "off",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS_ONLY": "off",
        "ADMIN_SECOND_FACTOR": "off",
        "SHOW_LOGIN_CODES": "on",
        "METRICS_TOKEN": secrets.token_urlsafe(24),
    }


def zero_install(folder: Path) -> Env:
    database_url = f"sqlite:///{folder / 'db.sqlite3'}"
    return {
        **ONE_ADDRESS,
        "DEBUG": "on",
        "DATABASE_URL": database_url,
        "REDIS_URL": "",
    }


@contextmanager
def stack(kind: str) -> Iterator[Env]:
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        if kind == "embedded":
            settings = zero_install(folder)
            server = running.enter_context(web(folder, settings))
            yield {**server.env, "STAFF_TOKEN": staff_token(settings)}
            return
        services = running.enter_context(postgresql(folder)).env
        if kind == "cluster":
            services |= running.enter_context(redis_cluster(folder))[0].env
        else:
            services |= running.enter_context(redis(folder)).env
        if kind in ("services", "cluster"):
            yield services
        else:
            settings = {**services, **production(folder)}
            server = running.enter_context(web(folder, settings))
            yield {**server.env, "STAFF_TOKEN": staff_token(settings)}


def staff_token(settings: Env) -> str:
    """Of a superuser that is made for it."""
    number = "+79990009999"
    superuser = {
        "DJANGO_SUPERUSER_PHONE_NUMBER": number,
        "DJANGO_SUPERUSER_PASSWORD": secrets.token_urlsafe(),
    }
    env = {**settings, "ENV_FILE": os.devnull}
    env["DJANGO_SETTINGS_MODULE"] = "config.settings"
    manage({**env, **superuser}, "createsuperuser", "--noinput", "--verbosity=0")
    return manage(env, "staff_token", number).strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root; Debian's package brings a user for it."""
    return "postgres" if os.geteuid() == 0 else None


def postgres_tool(name: str) -> str:
    # Debian keeps the servers' programs off PATH, a folder a version.
    places = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    found = shutil.which(name) or (places[-1] if places else None)
    if not found:
        sys.exit(f"{name} is not installed: install PostgreSQL's server package.")
    return found


def _run_as(user: str | None, *command: object) -> None:
    subprocess.run(
        list(map(str, command)),
        check=True,
        user=user,
        cwd="/",
        stdout=subprocess.DEVNULL,
    )


def manage(env: Env, *arguments: str) -> str:
    """What it prints; what it logs goes to where ours goes."""
    command = [sys.executable, "manage.py", *arguments]
    result = subprocess.run(
        command,
        check=True,
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        text=True,
    )
    return result.stdout


@contextmanager
def spawn(
    command: Sequence[object],
    log: Path,
    *,
    user: str | None = None,
    env: Env | None = None,
    stop: signal.Signals = signal.SIGINT,  # PostgreSQL's "fast" shutdown
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(map(str, command)),
            user=user,
            cwd="/" if user else ROOT,
            env={**os.environ, **(env or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that its children can be ended with it
        )
    try:
        yield process
    except BaseException:
        sys.stderr.write(log.read_text(errors="replace")[-4000:])
        raise
    finally:
        process.send_signal(stop)
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for_port(port: int, host: str = "127.0.0.1") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((host, port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port} after {START_SECONDS} s")


def wait_for_postgresql(port: int) -> None:
    """It listens a moment before it lets anybody in."""
    ask = [postgres_tool("pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={port}"]
    deadline = time.monotonic() + START_SECONDS
    while subprocess.run(ask).returncode:
        if time.monotonic() > deadline:
            raise TimeoutError(f"PostgreSQL is not ready after {START_SECONDS} s")
        time.sleep(0.05)


def main() -> int:
    kinds = {"services", "cluster", "real", "embedded"}
    if len(sys.argv) < 3 or sys.argv[1] not in kinds:
        sys.exit(__doc__)
    # Being told to stop must stop the servers as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with stack(sys.argv[1]) as env:
        return subprocess.run(sys.argv[2:], env={**os.environ, **env}).returncode


if __name__ == "__main__":
    sys.exit(main())
