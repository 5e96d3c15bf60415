"""T23: servers that are ended in the middle of a request."""

import os
import signal
import threading
import time
from pathlib import Path

from tests.attacks.attacker import AWAY, Answer, names, new_address
from tests.attacks.conftest import Report
from tests.attacks.plant import (
    Plant,
    recover,
)
from tests.lab.shared import at_once, new_phone_number


def test_t23_sigterm_lets_requests_finish(plant: Plant, report: Report) -> None:
    web, target = plant.serve(SMS_SIMULATED_DELAY="2")
    told = threading.Timer(1, web.process.terminate)
    told.start()
    answers = at_once(
        30, lambda i: target.send_code(new_phone_number(), address=new_address())
    )
    told.join()
    status = web.process.wait(timeout=20)
    report(
        "T23",
        "SIGTERM while 30 requests wait for their SMS",
        f"{dict(names(answers))}, the server ended with {status}",
    )
    assert names(answers) == {"200": 30}
    assert status == 0


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def test_t23_sigkill_leaves_no_half_made_account(plant: Plant, report: Report) -> None:
    web, target = plant.serve()
    inviter = target.sign_in(new_phone_number(), address=new_address())["user"]
    phones = sorted({new_phone_number() for _ in range(1_500)})
    sent = at_once(
        len(phones), lambda i: target.send_code(phones[i], address=new_address())
    )
    assert names(sent) == {"200": len(phones)}
    codes = [answer.json["dev_code"] for answer in sent]
    dead = threading.Event()

    def sign_up(i: int) -> Answer:
        if dead.is_set():
            return Answer(AWAY, {}, b"")
        body = {"invite_code": inviter["invite_code"]}
        return target.verify(phones[i], codes[i], address=new_address(), body=body)

    def kill() -> None:
        processes = [web.process.pid, *_children(web.process.pid)]
        for pid in processes:
            os.kill(pid, signal.SIGKILL)
        dead.set()

    killer = threading.Timer(1.5, kill)
    killer.start()
    answers = at_once(len(codes), sign_up)
    killer.join()
    web.process.wait(timeout=10)
    told = [phones[i] for i, a in enumerate(answers) if a.status == 200]
    _wait_until_quiet(plant)
    made = dict(
        plant.rows(
            "SELECT u.phone_number, count(DISTINCT t.id) + count(DISTINCT r.invitee_id)"
            " FROM users_user u LEFT JOIN users_token t ON t.user_id = u.id"
            " LEFT JOIN referrals_referral r ON r.invitee_id = u.id AND r.inviter_id=%s"
            " WHERE u.phone_number = ANY(%s) GROUP BY 1",
            inviter["id"],
            phones,
        )
    )
    cut = sum(a.status == AWAY for a in answers)
    half = [phone for phone, parts in made.items() if parts != 2]
    lost = [phone for phone in told if phone not in made]
    report(
        "T23",
        "SIGKILL of all processes during sign-ups with an invite code",
        f"{len(told)} confirmed, {len(made)} made, {len(half)} half-made,"
        f" {len(lost)} lost",
    )
    assert 0 < len(told) < len(codes)
    assert len(told) + cut == len(answers)
    assert (half, lost) == ([], [])
    assert plant.odd_rows() == {}
    _, again = plant.serve()
    recover(again)


def _wait_until_quiet(plant: Plant) -> None:
    """Wait until PostgreSQL has noticed that its clients are gone."""
    deadline = time.monotonic() + 10
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        " AND state <> 'idle' AND pid <> pg_backend_pid()"
    )
    while plant.rows(query)[0][0] and time.monotonic() < deadline:
        time.sleep(0.1)
