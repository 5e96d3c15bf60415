"""Upgrade under load: the old version serves while the new one migrates and starts.

    git worktree add /tmp/old v1.0
    python -m tests.benchmarks.upgrade /tmp/old
    git worktree remove /tmp/old

Prints the answers that clients got meanwhile.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.e2e.conftest import Server, outcomes
from tests.e2e.load import Load
from tests.lab import servers
from tests.lab.shared import new_phone_number

SECONDS = 5


@contextmanager
def version(code: Path, folder: Path, settings: servers.Env) -> Iterator[Server]:
    """The web server of the code that is in that folder."""
    port = servers.free_port()
    command = ["env", f"--chdir={code}", sys.executable, "-m", "gunicorn"]
    command += ["-c", "config/server/gunicorn.conf.py", f"--bind=127.0.0.1:{port}"]
    log = folder / f"web-{port}.log"
    stop = signal.SIGTERM
    with servers.spawn([*command, "config.wsgi"], log, env=settings, stop=stop):
        servers.wait_for_port(port)
        server = Server(f"http://127.0.0.1:{port}")
        server.get("/readyz").raise_for_status()  # as a load balancer does
        yield server


def migrate(code: Path, folder: Path, settings: servers.Env) -> float:
    """The seconds that it took."""
    command = ["env", f"--chdir={code}", sys.executable, "manage.py", "migrate"]
    start = time.monotonic()
    with servers.spawn([*command, "-v0"], folder / "migrate.log", env=settings) as run:
        if run.wait():
            raise RuntimeError("migrate failed")
    return time.monotonic() - start


def show(phase: str, *loads: Load) -> None:
    seen = [seen for load in loads for seen in load.seen]
    slowest = max(one.end - one.start for one in seen)
    answers = dict(outcomes(one.answer for one in seen))
    print(f"{phase}: {answers}, the slowest after {slowest:.2f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    old, new = parser.parse_args().old.resolve(), servers.ROOT
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        settings = {
            **running.enter_context(servers.postgresql(folder)).env,
            **running.enter_context(servers.redis(folder)).env,
            **servers.production(folder),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "ENV_FILE": "/dev/null",
            "SMS_SIMULATED_DELAY": "0",
            "LIMIT_SENDS": "",
            "LIMIT_SENDS_BY_STRANGERS": "",
        }
        migrate(old, folder, settings)
        servers.manage(settings, "collectstatic", "--noinput", "--verbosity=0")
        with version(old, folder, settings) as old_server:
            with Load(old_server) as load:
                time.sleep(SECONDS)
            show("old version alone", load)
            with Load(old_server) as load:
                seconds = migrate(new, folder, settings)
            show(f"old version, while the new one migrates ({seconds:.1f} s)", load)
            with version(new, folder, settings) as new_server:
                with Load(old_server) as one, Load(new_server) as other:
                    time.sleep(SECONDS)
                show("both: old", one)
                show("both: new", other)
                _cross(old_server, new_server)


def _cross(old: Server, new: Server) -> None:
    """People and codes of one version are known to the other."""
    for first, second in ((old, new), (new, old)):
        inviter = first.sign_in(new_phone_number())
        phone = new_phone_number()
        code = first.ask_for_code(phone)  # sent by one version, entered at the other
        answer = second.verify(phone, code, invite_code=inviter["user"]["invite_code"])
        answer.raise_for_status()
        profile = second.get("/api/profile/", inviter["token"])
        assert profile.json()["referrals_count"] == 1
    print("codes, tokens and invite codes of each version work with the other")


if __name__ == "__main__":
    main()
