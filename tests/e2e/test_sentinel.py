"""A Redis master with a replica and three Sentinels; the master is killed."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from redis import Redis

from tests.e2e.conftest import Server
from tests.e2e.test_races import ATTEMPTS
from tests.lab import servers
from tests.lab.shared import new_phone_number, wrong

NAME = "referral"
# Sentinel's down-after-milliseconds; use about five seconds in production.
DOWN_AFTER_SECONDS = 1
ANSWER_SECONDS = 5
BACK_SECONDS = 20


@contextmanager
def sentinel(folder: Path, redis_port: int) -> Iterator[int]:
    port = servers.free_port()
    # Sentinel writes its state into its configuration file.
    configuration = folder / f"sentinel-{port}.conf"
    configuration.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor {NAME} 127.0.0.1 {redis_port} 2\n"
        f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER_SECONDS * 1000}\n"
        f"sentinel failover-timeout {NAME} 10000\n"
    )
    command = ["redis-server", configuration, "--sentinel"]
    with servers.spawn(command, folder / f"sentinel-{port}.log"):
        servers.wait_for_port(port)
        yield port


def test_replica_takes_over_when_the_redis_master_is_killed() -> None:
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        database = running.enter_context(servers.postgresql(folder)).env
        redis_port, other_port = servers.free_port(), servers.free_port()
        (folder / "other").mkdir()
        redis = running.enter_context(servers.redis(folder, redis_port))
        running.enter_context(servers.redis(folder / "other", other_port))
        with Redis(port=other_port) as replica:
            replica.replicaof("127.0.0.1", redis_port)
        sentinels = [
            running.enter_context(sentinel(folder, redis_port)) for _ in range(3)
        ]
        _wait_until_watched(sentinels)
        settings = {
            **database,
            **servers.production(folder),
            "REDIS_URL": f"redis://{NAME}/0",
            "REDIS_SENTINELS": ",".join(f"127.0.0.1:{port}" for port in sentinels),
            "SMS_SIMULATED_DELAY": "0",
        }
        web = running.enter_context(servers.web(folder, settings))
        server = Server(web.env["BASE_URL"])
        server.sign_in(new_phone_number())
        victim = new_phone_number()
        code = server.ask_for_code(victim)
        for _ in range(ATTEMPTS - 1):
            assert server.verify(victim, wrong(code)).status_code == 400
        time.sleep(0.2)  # the replica lags some milliseconds behind

        redis.process.kill()
        killed = time.monotonic()
        seen, slowest = sign_in_until_it_works(server)
        away = time.monotonic() - killed
        print(
            f"\n  Redis killed, down after {DOWN_AFTER_SECONDS} s: sign-in works"
            f" again after {away:.1f} s; until then {seen} answers of 503, the slowest"
            f" after {slowest:.1f} s"
        )
        assert slowest < ANSWER_SECONDS
        # The guesses are still counted: exactly one is left.
        last, more = (server.verify(victim, wrong(code)) for _ in range(2))
        assert last.json()["errors"][0]["code"] == "code_incorrect"
        assert more.status_code == 429


def _wait_until_watched(sentinels: list[int]) -> None:
    """Wait until the Sentinels know the replica and one another."""
    deadline = time.monotonic() + servers.START_SECONDS
    for port in sentinels:
        with Redis(port=port, decode_responses=True) as client:
            while True:
                state = client.sentinel_master(NAME)
                if state["num-slaves"] == 1 and state["num-other-sentinels"] == 2:
                    break
                assert time.monotonic() < deadline, state
                time.sleep(0.1)


def sign_in_until_it_works(server: Server) -> tuple[int, float]:
    """The number of failed attempts, and the seconds of the slowest answer."""
    start, refused, slowest = time.monotonic(), 0, 0.0
    while time.monotonic() - start < BACK_SECONDS:
        asked = time.monotonic()
        body = {"phone_number": new_phone_number()}
        answer = server.post("/api/auth/request-code/", body)
        if answer.ok:
            body["code"] = answer.json()["dev_code"]
            answer = server.post("/api/auth/verify-code/", body)
        slowest = max(slowest, time.monotonic() - asked)
        if answer.ok:
            return refused, slowest
        assert answer.status_code == 503, answer.text
        refused += 1
        time.sleep(0.1)
    raise AssertionError(f"no sign-in for {BACK_SECONDS} s")
