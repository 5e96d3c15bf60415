"""T27, T28: devices after a restored backup, and known devices."""

import hmac
import os
import subprocess
import time
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import jwt
import psycopg2  # type: ignore[import-untyped]  # ships no types
import pytest

from tests.attacks.attacker import Answer, Target, new_address
from tests.attacks.browser import Browser
from tests.attacks.conftest import Lab, Report
from tests.lab.shared import new_phone_number

# Of each device: its primary key and that of its user.
DEVICES = "SELECT id, user_id FROM users_token ORDER BY id"


def database(lab: Lab, name: str) -> str:
    """The URL of a new database."""
    url = lab.services["DATABASE_URL"]
    _run("createdb", f"--maintenance-db={url}", name)
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, env=os.environ, timeout=60)


def devices(database_url: str) -> list[tuple[int, int]]:
    connection = psycopg2.connect(database_url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(DEVICES)
            return list(cursor.fetchall())
    finally:
        connection.close()


def read(server: Target, token: str, scheme: str = "Bearer") -> int:
    return server.with_token("GET", "/api/profile/", token, scheme=scheme).status


def without_random_id(lab: Lab, access: str) -> str:
    """The JWT as the version before devices had random ids issued it."""
    claims = jwt.decode(access, options={"verify_signature": False})
    del claims["sub"], claims["did"]
    secret = lab.web.env["SECRET_KEY"].encode()
    key = hmac.digest(secret, b"users.jwt", "sha256").hex()
    return jwt.encode(claims, key, "HS256")


def test_t27_no_session_or_jwt_opens_another_account_after_a_restore(
    lab: Lab, report: Report
) -> None:
    """Mallory signs in after the backup. Then it is restored, and others sign in."""
    url, restored_url = database(lab, "backed_up"), database(lab, "restored")
    settings = {"LOGIN_CODE_RESEND_SECONDS": "1"}
    before = lab.server_with(DATABASE_URL=url, **settings)
    before.sign_in(new_phone_number(), address=new_address())
    dump = str(lab.folder / "backup.dump")
    _run("pg_dump", "--format=custom", f"--file={dump}", url)

    token = before.sign_in(new_phone_number(), address=new_address())["token"]
    pair = before.pair(new_phone_number(), address=new_address())
    thief = Browser(before)
    thief.sign_in(new_phone_number())
    assert read(before, pair["access"]) == 200
    assert thief.is_signed_in
    lost = devices(url)

    _run("pg_restore", "--single-transaction", f"--dbname={restored_url}", dump)
    after = lab.server_with(DATABASE_URL=restored_url, **settings)
    victims = [after.pair(new_phone_number(), address=new_address()) for _ in range(3)]
    # The attack's premise: devices and users have the primary keys of the lost ones.
    assert devices(restored_url) == lost
    thief.server = after
    seen = {
        "token": read(after, token, "Token"),
        "access": read(after, pair["access"]),
        "access of the version before": read(
            after, without_random_id(lab, pair["access"])
        ),
        "verified refresh": after.post(
            "/api/auth/jwt/verify/", {"token": pair["refresh"]}
        ).status,
        "refresh": after.refresh(pair["refresh"]).status,
        "browser": thief.get("/profile/").status_code,
    }
    thief.close()
    victims_in = sum(read(after, victim["access"]) == 200 for victim in victims)
    report(
        "T27",
        f"{len(lost)} devices get the primary keys of others after a restore",
        ", ".join(f"{name} {status}" for name, status in seen.items())
        + f"; {victims_in} of 3 owners stay signed in",
    )
    assert seen.pop("browser") == 302
    assert set(seen.values()) == {401}
    assert victims_in == 3


def _change_number(server: Target, phone: str, token: str, known: str) -> None:
    path, body = "/api/profile/phone/", {"phone_number": new_phone_number()}
    body["device_token"] = known
    sent = server.with_token("POST", f"{path}request-code/", token, body).json
    body |= {name: sent[name]["dev_code"] for name in ("old_code", "new_code")}
    answer = server.with_token("POST", path, token, body)
    assert answer.status == 200, answer.body


def _post(path: str) -> Callable[[Target, str, str, str], Answer]:
    return lambda server, phone, token, known: server.with_token("POST", path, token)


def _sign_in_again(server: Target, phone: str, token: str, known: str) -> None:
    body = {"device_token": known}
    server.sign_in(phone, address=new_address(), body=body)


ENDS: dict[str, tuple[Callable[[Target, str, str, str], object], str]] = {
    "a sign-in with it": (_sign_in_again, "known"),
    "logout": (_post("/api/auth/logout/"), "known"),
    "logout-all": (_post("/api/auth/logout-all/"), "stranger"),
    "a change of number": (_change_number, "stranger"),
    "deletion": (
        lambda server, phone, token, known: server.with_token(
            "DELETE", "/api/profile/", token
        ),
        "stranger",
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_t28_known_device_tokens_end(lab: Lab, report: Report, end: str) -> None:
    server = lab.server_with(LOGIN_CODE_RESEND_SECONDS="5")
    phone = new_phone_number()
    signed_in = server.sign_in(phone, address=new_address())
    known = signed_in["device_token"]
    act, expected = ENDS[end]
    act(server, phone, signed_in["token"], known)
    # Strangers wait for each other's sends. A known device waits for its own only.
    time.sleep(5.2)
    server.code_of(phone, address=new_address())
    answer = server.send_code(
        phone, address=new_address(), body={"device_token": known}
    )
    seen = {200: "known", 429: "stranger"}.get(answer.status, answer.name)
    report("T28", f"device token after {end}", f"counts as {seen}")
    assert seen == expected
