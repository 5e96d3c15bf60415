"""T14, T19, T20, T21: malicious input, and where it is shown or logged."""

import re
import socket
import time
from contextlib import suppress
from html import escape
from typing import Any
from urllib.parse import quote, urlsplit

from tests.attacks.attacker import Target, new_address
from tests.attacks.browser import Browser
from tests.attacks.conftest import Lab, Report
from tests.attacks.evidence import log_of
from tests.lab.shared import new_phone_number, wrong

VERIFY = "/api/auth/verify-code/"


def _tricks(code: str) -> list[Any]:
    """Values that are not a code, although some contain the code."""
    return [
        42,
        1234,
        int(code),
        float(code),
        True,
        None,
        [code],
        [f"{n:04}" for n in range(10_000)],
        {"code": code},
        {"$ne": ""},
        f"{code}\0",
        f"\0{code}",
        f"+{code}",
        f"{code} OR {wrong(code)}={wrong(code)}",
        "".join(f"{digit}/" for digit in code),
        f"{code},{wrong(code)}",
        "%",
        "",
        "9" * 1_000,
    ]


def _raw_tricks(phone: str, code: str) -> list[bytes]:
    start = f'{{"phone_number": "{phone}", "code": '.encode()
    padding = b" " * (1024 * 1024)
    return [
        start + f'"{code}"}}'.encode() + padding,
        start + b"[" * 10_000 + b"]" * 10_000 + b"}",
        start + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
        b"[" * 30_000,
        start + b"1e999}",
        start + b"NaN}",
        start + b"9" * 5_000 + b"}",
        start + b'"\xff\xfe"}',
        b"null",
        b"[]",
        b'"x"',
        b"",
    ]


def test_t14_malformed_codes_are_refused_and_not_counted(
    target: Target, report: Report
) -> None:
    phone, address = new_phone_number(), new_address()
    code = target.code_of(phone, address=address)
    answers = [target.verify(phone, c, address=address) for c in _tricks(code)]
    answers += [
        target.request("POST", VERIFY, raw=raw, address=address)
        for raw in _raw_tricks(phone, code)
    ]
    first_wrong = target.verify(phone, wrong(code), address=address)
    left = first_wrong.json["errors"][0].get("attempts_left")
    signed_in = target.verify(phone, code, address=address)
    statuses = sorted({a.status for a in answers})
    report(
        "T14",
        f"{len(answers)} values that are not a code: types, NUL, 1 MB, depth",
        f"statuses {statuses}; then a wrong guess leaves {left} of 5",
    )
    assert all(400 <= s < 500 for s in statuses), [(a.status, a.body) for a in answers]
    assert "code_incorrect" not in {a.name for a in answers}
    assert left == 4
    assert signed_in.status == 200


LINE_START = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ [A-Z]+ |\[\d{4}-\d\d-\d\d |{\"time\": )"
)
WHOLE_NUMBER = re.compile(
    r"(?<!\d)(\+?7|8)[ (]{0,2}9\d{2}[ )-]{0,2}\d{3}-?\d{2}-?\d{2}(?!\d)"
)
FORGED = "2026-01-01 00:00:00,000 INFO forged a line"


def _raw_request(server: Target, lines: list[str], body: bytes = b"") -> bytes:
    """Send header lines that an HTTP library would refuse to send."""
    url = urlsplit(server.base_url)
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "Connection: close"])
    with socket.create_connection((url.hostname, url.port or 80), 10) as connection:
        connection.settimeout(10)
        connection.sendall(f"{head}\r\n\r\n".encode("utf-8", "surrogatepass") + body)
        answer = b""
        with suppress(ConnectionError):
            while part := connection.recv(65536):
                answer += part
        return answer


def _shows_a_number(line: str) -> bool:
    # Request ids and hashes of addresses may contain eleven digits in a row by chance.
    line = re.sub(r'"(address|request_id)": "\w+"', "", line)
    return bool(WHOLE_NUMBER.search(line))


def test_t19_log_lines_cannot_be_forged(lab: Lab, report: Report) -> None:
    server = lab.server_with(
        SMS_BACKEND="tests.attacks.providers.Silent", WEB_WORKERS="1"
    )
    phone, address = new_phone_number(), new_address()
    for end in ("\r\n", "\n", "\r", "\u2028", "\x0b", "\x85"):
        server.send_code(f"{phone}{end}{FORGED}"[:40], address=address)
        server.send_code(f"{phone}{end}", address=new_address())
        server.verify(phone, f"0000{end}{FORGED}", address=address)
        server.request("GET", f"/i/{quote(end + FORGED)}/", address=address)
        server.request("GET", f"/nowhere{quote(end + FORGED)}", address=address)
        server.request("GET", f"/api/{quote(end + FORGED)}/", address=address)
        server.request("GET", f"/healthz?{quote(end + FORGED)}", address=address)
        forged = f"x{end}{FORGED}"
        for name in ("User-Agent", "X-Forwarded-For", "Referer", "Cookie", "Host"):
            host = "Host: 127.0.0.1"
            for line in ("GET /profile/ HTTP/1.1", "GET /nowhere HTTP/1.1"):
                _raw_request(server, [line, host, f"{name}: {forged}"])
        _raw_request(server, [f"GET /{forged} HTTP/1.1", "Host: 127.0.0.1"])
    signed_in = server.sign_in(new_phone_number(), address=new_address())
    server.with_token("POST", "/api/profile/", signed_in["token"], {"invite_code": "0"})
    server.with_token("POST", "/api/auth/logout/", signed_in["token"])
    time.sleep(0.5)
    # Split like terminals and log collectors; str.splitlines splits at more characters.
    lines = re.split(r"\r\n|\n|\r", log_of(lab, server).rstrip("\n"))
    odd = [line for line in lines if not LINE_START.match(line)]
    forgeries = [line for line in lines if line.startswith(FORGED)]
    numbers = [line for line in lines if _shows_a_number(line)]
    report(
        "T19",
        "line breaks in numbers, codes, paths and headers",
        f"{len(lines)} log lines, {len(odd)} broken, {len(forgeries)} forged,"
        f" {len(numbers)} with a whole number",
    )
    assert (odd, forgeries, numbers) == ([], [], [])


def test_t19_logs_contain_no_whole_number(lab: Lab, report: Report) -> None:
    logs = [path.read_text(errors="replace") for path in lab.folder.glob("web-*.log")]
    lines = [line for log in logs for line in log.splitlines()]
    numbers = [line for line in lines if _shows_a_number(line)]
    report(
        "T19",
        "phone numbers in the logs of all servers so far",
        f"{len(lines)} lines, {len(numbers)} with a whole number",
    )
    assert numbers == []


SCRIPTS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "{{7*7}}{% debug %}",
    "</title><script>alert(1)</script>",
    "javascript:alert(1)",
]
RAW = re.compile(r"<script>alert|<img src=x|<svg/onload|&lt;49")


def test_t20_scripts_are_shown_as_text(
    target: Target, report: Report, staff: Browser
) -> None:
    phone = new_phone_number()
    browser = Browser(target)
    browser.sign_in(phone)
    signed_in = Browser(target)  # a second browser, without a session
    pages, raw, shown = 0, [], 0
    for text in SCRIPTS:
        saved = browser.post(
            "/profile/edit/", first_name=text, last_name=text, email=""
        )
        assert saved.status_code == 302
        look_ups = [
            (browser, "/profile/"),
            (browser, "/profile/edit/"),
            (browser, f"/profile/activate/?invite_code={quote(text)}"),
            (browser, f"/profile/?page={quote(text)}"),
            (signed_in, f"/i/{quote(text, safe='')}/"),
            (signed_in, f"/login/?invite={quote(text)}"),
            (signed_in, f"/login/?next={quote(text)}"),
            (signed_in, f"/nowhere/{quote(text)}"),
            (staff, "/admin/users/user/"),
            (staff, f"/admin/users/user/?q={quote(phone)}"),
            (staff, f"/admin/users/user/?q={quote(text)}"),
        ]
        listed = staff.get(f"/admin/users/user/?q={quote(phone)}").text
        found = re.search(r"/admin/users/user/(\d+)/change/", listed)
        assert found
        look_ups.append((staff, found[0]))
        look_ups.append((staff, found[0].replace("change", "history")))
        look_ups.append((staff, found[0].replace("change", "delete")))
        for who, path in look_ups:
            page = who.get(path)
            assert page.status_code < 500, path
            pages += 1
            if RAW.search(page.text):
                raw.append(path)
            shown += escape(text) in page.text or text in page.text
        # No code is pending, so this redirects.
        refused = browser.post("/login/code/", form="/profile/", code=text)
        assert refused.status_code in {302, 400}
    report(
        "T20",
        f"{len(SCRIPTS)} scripts as names and invite codes, {pages} pages",
        f"{len(raw)} run, {shown} shown as text",
    )
    browser.close()
    signed_in.close()
    assert raw == []
    assert shown >= 4 * len(SCRIPTS)  # else the test tests nothing


CHANGES = [
    ("/login/", {"phone_number": "+79991112233"}),
    ("/login/invite/", {"invite_code": "ABC123"}),
    ("/logout/", {}),
    ("/logout/everywhere/", {}),
    ("/profile/edit/", {"first_name": "Eve"}),
    ("/profile/activate/", {"invite_code": "ABC123"}),
    ("/profile/delete/", {"last_digits": "0000"}),
    ("/language/setlang/", {"language": "ru"}),
]


def test_t20_forms_without_csrf_token_are_refused(
    target: Target, report: Report, staff: Browser
) -> None:
    browser = Browser(target)
    browser.sign_in(new_phone_number())
    statuses = [browser.post_bare(path, **data).status_code for path, data in CHANGES]
    statuses.append(staff.post_bare("/admin/users/user/add/").status_code)
    statuses.append(staff.post_bare("/admin/logout/").status_code)
    still = browser.is_signed_in
    report(
        "T20",
        f"{len(statuses)} forms sent without their CSRF token",
        f"answers {sorted(set(statuses))}, still signed in: {still}",
    )
    browser.close()
    assert set(statuses) == {403}
    assert still


def test_t20_pages_have_security_headers(
    target: Target, report: Report, staff: Browser
) -> None:
    browser = Browser(target)
    browser.sign_in(new_phone_number())
    paths = ["/", "/login/", "/profile/", "/profile/edit/", "/profile/delete/"]
    paths += ["/profile/activate/", "/i/000000/", "/nowhere/"]
    pages = [browser.get(path) for path in paths]
    pages += [staff.get("/admin/"), staff.get("/admin/users/user/")]
    policies = {page.headers.get("Content-Security-Policy", "") for page in pages}
    frames = {page.headers.get("X-Frame-Options") for page in pages}
    inline = [
        page.url
        for page in pages
        if re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text)
        and "/admin/" not in page.url
    ]
    report(
        "T20",
        f"headers of {len(pages)} pages",
        f"CSP {'without' if 'unsafe' not in str(policies) else 'WITH'} unsafe-inline,"
        f" frames {frames}, {len(inline)} with inline code",
    )
    browser.close()
    assert "" not in policies
    assert all("default-src 'self'" in policy for policy in policies)
    assert all("frame-ancestors 'none'" in policy for policy in policies)
    assert not any("unsafe" in policy for policy in policies)
    assert frames == {"DENY"}
    assert inline == []


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "https:evil.example",
    "javascript:alert(1)",
    "\thttps://evil.example/",
    "http://127.0.0.1@evil.example/",
]


def test_t20_redirects_stay_on_the_site(target: Target, report: Report) -> None:
    led = set()
    for url in ELSEWHERE:
        browser = Browser(target)
        answer = browser.sign_in(new_phone_number(), query=f"?next={quote(url)}")
        led.add(answer.headers["Location"])
        setlang = "/language/setlang/"
        to = browser.post(setlang, form="/profile/", language="ru", next=url)
        assert to.status_code == 302
        led.add(to.headers["Location"])
        browser.session.headers["Referer"] = url.strip()
        led.add(
            browser.post(setlang, form="/profile/", language="en").headers["Location"]
        )
        browser.close()
    report(
        "T20",
        f"{len(ELSEWHERE)} URLs of other sites in next= and Referer",
        f"redirected to {sorted(led)}",
    )
    assert not any("evil" in url or "alert" in url for url in led)
    assert all(url.startswith("/") and not url.startswith("//") for url in led)
