"""A Redis Cluster of three masters; one is killed or hangs, and its replica follows."""

import signal
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis.crc import key_slot

from limits.slots import SERVICE
from tests.e2e.conftest import Server, outcomes
from tests.e2e.test_races import ATTEMPTS
from tests.e2e.test_sentinel import ANSWER_SECONDS, sign_in_until_it_works
from tests.lab import servers
from tests.lab.shared import at_once, new_phone_number, wrong

MASTERS = 3
# It has the counts of the whole service, so everybody notices when it is gone.
BUSIEST = key_slot(f"{{{SERVICE}}}".encode()) * MASTERS // 16384


@pytest.mark.parametrize(
    ("fault", "what"), [(signal.SIGKILL, "killed"), (signal.SIGSTOP, "hangs")]
)
def test_replica_takes_over_when_a_master_of_the_cluster_fails(
    fault: signal.Signals, what: str
) -> None:
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        database = running.enter_context(servers.postgresql(folder)).env
        nodes = running.enter_context(servers.redis_cluster(folder, MASTERS))
        running.enter_context(servers.replica_of(nodes[BUSIEST], folder))
        settings = {**database, **nodes[0].env, **servers.production(folder)}
        settings["SMS_SIMULATED_DELAY"] = "0"
        web = running.enter_context(servers.web(folder, settings))
        server = Server(web.env["BASE_URL"])
        for _ in range(10):  # their numbers are on all masters
            server.sign_in(new_phone_number())
        _simultaneous_requests_keep_the_limits(server)
        victim = new_phone_number()
        code = server.ask_for_code(victim)
        for _ in range(ATTEMPTS - 1):
            assert server.verify(victim, wrong(code)).status_code == 400
        time.sleep(0.2)  # the replica lags some milliseconds behind

        process = nodes[BUSIEST].process
        process.send_signal(fault)
        # It must run to be stopped at the end of the test.
        running.callback(process.send_signal, signal.SIGCONT)
        failed = time.monotonic()
        if fault == signal.SIGKILL:  # else it may answer when the replica is there
            ready = server.get("/readyz")
            assert ready.status_code == 503, ready.text
            assert ready.json()["cache"] == "unavailable"
        seen, slowest = sign_in_until_it_works(server)
        away = time.monotonic() - failed
        timeout = servers.CLUSTER_NODE_TIMEOUT_MS / 1000
        print(
            f"\n  A master {what}, cluster-node-timeout {timeout:g} s: sign-in works"
            f" again after {away:.1f} s; until then {seen} answers of 503, the slowest"
            f" after {slowest:.1f} s"
        )
        assert slowest < ANSWER_SECONDS
        for _ in range(10):
            server.sign_in(new_phone_number())
        assert server.get("/readyz").status_code == 200
        # The guesses are still counted: exactly one is left.
        last, more = (server.verify(victim, wrong(code)) for _ in range(2))
        assert last.json()["errors"][0]["code"] == "code_incorrect"
        assert more.status_code == 429


def _simultaneous_requests_keep_the_limits(server: Server) -> None:
    body = {"phone_number": new_phone_number()}
    answers = at_once(50, lambda i: server.post("/api/auth/request-code/", body))
    assert outcomes(answers)["200"] == 1
    phone = new_phone_number()
    code = server.ask_for_code(phone)
    seen = outcomes(at_once(100, lambda i: server.verify(phone, wrong(code))))
    assert seen["code_incorrect"] == ATTEMPTS
