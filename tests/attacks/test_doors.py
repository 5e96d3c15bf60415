"""T36, T39, T40: the schema's cost, what logs and caches keep, and changed keys."""

import os
import re
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

from tests.attacks.attacker import Answer, Target, new_address
from tests.attacks.conftest import Lab, Report
from tests.attacks.evidence import log_of
from tests.lab.shared import at_once, new_phone_number, wrong

SCHEMA = "/api/schema/"
JSON = {"Accept": "application/json"}

# Four processes of four threads each, so that the attacker's own work takes no time
# from the thread that measures.
ATTACKER = """
import sys, threading, time, urllib.request
url, seconds = sys.argv[1], float(sys.argv[2])
end, done, lock = time.monotonic() + seconds, [0, 0], threading.Lock()
def ask():
    while time.monotonic() < end:
        request = urllib.request.Request(url, headers={"Accept": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            read = len(answer.read())
        with lock:
            done[0] += 1
            done[1] += read
threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(*done)
"""
ATTACK_SECONDS = 5


def cpu_seconds(lab: Lab) -> float:
    """Of the web server and its workers so far."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        parent, session = int(fields[1]), int(fields[3])
        if lab.web.process.pid in (parent, session):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def profile_p99_ms(target: Target, token: str, seconds: float) -> float:
    took = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.perf_counter()
        answer = target.with_token("GET", "/api/profile/", token)
        took.append((time.perf_counter() - start) * 1000)
        assert answer.status == 200
        time.sleep(0.005)
    return sorted(took)[int(len(took) * 0.99)]


def test_t36_the_schema_costs_next_to_nothing(
    lab: Lab, target: Target, report: Report
) -> None:
    token = target.sign_in(new_phone_number(), address=new_address())["token"]
    at_once(20, lambda n: target.request("GET", SCHEMA, headers=JSON))  # all workers
    calm = profile_p99_ms(target, token, 2)
    command = [sys.executable, "-c", ATTACKER, target.base_url + SCHEMA]
    before = cpu_seconds(lab)
    attackers = [
        subprocess.Popen([*command, str(ATTACK_SECONDS)], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    p99 = profile_p99_ms(target, token, ATTACK_SECONDS - 1)
    counts = [attacker.communicate(timeout=60)[0].split() for attacker in attackers]
    served = sum(int(count) for count, _ in counts)
    cpu_ms = (cpu_seconds(lab) - before) * 1000 / served
    report(
        "T36",
        f"the schema {served} times by 16 clients in {ATTACK_SECONDS} s",
        f"{cpu_ms:.1f} ms of CPU each; a profile's p99 {calm:.0f} ms -> {p99:.0f} ms",
    )
    assert cpu_ms < 20  # it was more than 100


def test_t36_no_input_makes_the_schema_fail(target: Target, report: Report) -> None:
    odd = ["%00", "%0d%0aX:%201", "1%0a2", "x" * 1500, "..%2f..", "ru%00", "%ff", "zz"]
    names = ("lang", "version", "format", "script")
    accepts = ["*/*", "text/html", "x", ";;", "*/*;q=x", "application/json;indent=9e9"]
    tried = [
        (method, f"{path}?{name}={value}", accept)
        for method in ("GET", "HEAD", "OPTIONS", "POST")
        for path in (SCHEMA, "/redoc/", "/swagger/")
        for name in names
        for value, accept in zip(odd, [*accepts, *accepts[:2]], strict=True)
    ]
    statuses = [
        target.request(method, path, headers={"Accept": accept}).status
        for method, path, accept in tried
    ]
    failed = [
        asked for asked, s in zip(tried, statuses, strict=True) if not 0 < s < 500
    ]
    report("T36", f"{len(tried)} odd requests for it", f"{len(failed)} x 5xx")
    assert failed == []


def raw(target: Target, request: str) -> bytes:
    """Send what no HTTP client would."""
    host, port = target.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(request.encode())
        return connection.recv(65536)


def test_t39_no_log_line_has_what_the_client_sent(
    lab: Lab, target: Target, report: Report
) -> None:
    digits = f"999{secrets.randbelow(10**7):07}"
    sent = 0
    for canary in (f"+7{digits}", f"%2B7{digits}", f"7{digits}", digits):
        headers = dict.fromkeys(("User-Agent", "Referer", "Origin", "Cookie"), canary)
        for path in ("/api/users/", "/api/invite-codes/", "/", "/i/", "/admin/"):
            for method in ("GET", "POST", "PROPFIND", "A" + digits):
                url = f"{path}{canary}/?search={canary}"
                target.request(method, url, {"x": canary}, headers=headers)
                sent += 1
        form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": canary}
        target.request("POST", f"/login/?{canary}", headers=form, raw=canary.encode())
        target.request("GET", "/", headers={"Host": f"x{digits}.example"})
        for line in (f"GET /{canary} HTTP/9.9", f"{canary} /", f"GET /{canary} x x"):
            raw(target, f"{line}\r\n\r\n")
        raw(target, f"GET / HTTP/1.1\r\nHost: x\r\n{canary} : {canary}\r\n\r\n")
        raw(target, f"GET /{'a' * 3000}{canary} HTTP/1.1\r\nHost: x\r\n\r\n")
        sent += 7
    log = log_of(lab, target)
    found = log.count(digits)
    for kind in ("DisallowedHost", "csrf", "Not Found", "Invalid request from ip="):
        assert kind in log
    report("T39", f"a number in {sent} paths, queries, headers", f"{found} in the log")
    assert found == 0


def test_t39_no_answer_of_the_api_may_be_kept(target: Target, report: Report) -> None:
    phone = new_phone_number()
    signed_in = target.sign_in(phone, address=new_address())
    token = signed_in["token"]
    answers = {
        path: target.with_token("GET", path, token)
        for path in ("/api/profile/", "/api/auth/sessions/", "/api/nothing/", "/readyz")
    }
    answers["wrong code"] = target.verify(phone, wrong("1234"), address=new_address())
    answers["page"] = target.request("GET", "/login/code/")
    kept = [
        n for n, a in answers.items() if "no-store" not in a.headers["Cache-Control"]
    ]
    report("T39", f"{len(answers)} answers, refusals too", f"{len(kept)} may be kept")
    assert kept == []


def test_t39_plain_http_and_cookies(lab: Lab, report: Report) -> None:
    server = lab.server_with(HTTPS_ONLY="on")
    refused = [
        server.request(method, path, {"phone_number": new_phone_number()})
        for method in ("GET", "POST", "PATCH", "DELETE")
        for path in ("/api/profile/", "/api/auth/request-code/")
    ]
    names = {answer.name for answer in refused}
    page = server.request("GET", "/login/")
    cookies = cookies_of_a_sign_in(server)
    report(
        "T39",
        f"{len(refused)} API requests over plain HTTP",
        f"{', '.join(names)}; a page: {page.status}",
    )
    report("T39", "cookies of a sign-in over HTTPS", ", ".join(sorted(cookies)))
    assert names == {"https_required"}
    assert {answer.status for answer in refused} == {403}
    assert page.status == 301
    assert {"__Host-sessionid", "__Host-csrftoken"} <= set(cookies)
    for name, attributes in cookies.items():
        assert name.startswith("__Host-"), name
        assert {"Secure", "Path=/"} <= attributes, name
        assert not [a for a in attributes if a.lower().startswith("domain")], name


def cookies_of_a_sign_in(server: Target) -> dict[str, set[str]]:
    """Every cookie that the pages set on the way, with its attributes."""
    seen: dict[str, set[str]] = {}
    kept: dict[str, str] = {}
    headers = {
        "X-Forwarded-For": new_address(),
        "X-Forwarded-Proto": "https",
        "Referer": server.base_url.replace("http", "https") + "/",
    }

    def ask(path: str, **form: str) -> str:
        cookie = "; ".join(f"{name}={value}" for name, value in kept.items())
        answer: Any = requests.request(
            "POST" if form else "GET",
            server.base_url + path,
            data=form,
            headers={**headers, "Cookie": cookie},
            allow_redirects=False,
            timeout=30,
        )
        assert answer.status_code in (200, 302), answer.text
        for line in answer.raw.headers.getlist("Set-Cookie"):
            pair, *attributes = line.split("; ")
            name, _, value = pair.partition("=")
            kept[name], seen[name] = value, set(attributes)
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.text)
        kept_token[0] = found[1] if found else kept_token[0]
        return str(answer.text)

    kept_token = [""]
    ask("/login/")
    ask("/login/", phone_number=new_phone_number(), csrfmiddlewaretoken=kept_token[0])
    code = re.search(r'id="dev-code">(\d+)<', ask("/login/code/"))
    assert code
    ask("/login/code/", code=code[1], csrfmiddlewaretoken=kept_token[0])
    ask("/profile/")
    ask("/language/setlang/", language="ru", csrfmiddlewaretoken=kept_token[0])
    ask("/logout/", csrfmiddlewaretoken=kept_token[0])
    return seen


WEBHOOKS = {
    "WEBHOOK_URL": "https://receiver.invalid/hook",
    "WEBHOOK_SECRET": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
}


def sent_again(server: Target, phone: str) -> Answer:
    """A code, after the wait for the one before."""
    answer = server.send_code(phone, address=new_address())
    if answer.status == 429:
        time.sleep(answer.json["errors"][0]["retry_after"] + 0.5)
        answer = server.send_code(phone, address=new_address())
    assert answer.status == 200, answer.body
    return answer


def test_t40_a_payer_never_pays_twice(lab: Lab, report: Report) -> None:
    old, new = lab.web.env["SECRET_KEY"], secrets.token_urlsafe(48)
    servers = {
        "before": lab.server_with(**WEBHOOKS),
        "key set": lab.server_with(**WEBHOOKS, INVITEE_KEY_SECRET=old),
        "SECRET_KEY changed": lab.server_with(
            **WEBHOOKS, INVITEE_KEY_SECRET=old, SECRET_KEY=new
        ),
        "both lost": lab.server_with(**WEBHOOKS, SECRET_KEY=new),
    }
    inviter = servers["before"].sign_in(new_phone_number(), address=new_address())
    code = inviter["user"]["invite_code"]
    phone, keys = new_phone_number(), {}
    for name, server in servers.items():
        digits = sent_again(server, phone).json["dev_code"]
        body = {"invite_code": code}
        answer = server.verify(phone, digits, address=new_address(), body=body)
        assert answer.status == 200, answer.body
        ((keys[name],),) = lab.rows(
            "SELECT data->>'invitee_key' FROM webhooks_event"
            " WHERE type = 'referral.activated' ORDER BY created_at DESC LIMIT 1"
        )
        server.with_token("DELETE", "/api/profile/", answer.json["token"])
    report(
        "T40",
        f"one number invited {len(keys)} times, SECRET_KEY changed meanwhile",
        f"{len(set(list(keys.values())[:3]))} invitee_key",
    )
    assert keys["before"] == keys["key set"] == keys["SECRET_KEY changed"]
    assert keys["both lost"] != keys["before"]


def test_t40_limits_and_devices_outlive_secret_key(lab: Lab, report: Report) -> None:
    old, new = lab.web.env["SECRET_KEY"], secrets.token_urlsafe(48)
    before = lab.target
    after = lab.server_with(
        SECRET_KEY=new, SECRET_KEY_FALLBACKS=old, PSEUDONYM_SECRET=old
    )
    phone = new_phone_number()
    signed_in = before.sign_in(phone, address=new_address())
    stranger = after.send_code(phone, address=new_address())
    body = {"device_token": signed_in["device_token"]}
    own = after.send_code(phone, address=new_address(), body=body)
    report(
        "T40",
        "SECRET_KEY changed; a stranger and a known device ask",
        f"the stranger: {stranger.name}; the device: {own.name}",
    )
    assert (stranger.status, own.status) == (429, 200)
