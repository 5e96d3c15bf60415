"""T10, T15, T16, T18: stored secrets, random numbers, and the end of tokens."""

import ast
import hashlib
import hmac
import json
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import jwt
import pytest
from django.utils.crypto import salted_hmac

from tests.attacks.attacker import Target, names, new_address
from tests.attacks.browser import Browser
from tests.attacks.conftest import Lab, Report
from tests.attacks.evidence import dump_of_database, dump_of_redis, log_of, write
from tests.lab import servers
from tests.lab.shared import at_once, new_phone_number
from users.login.codes import SIGN_IN, random_digits

HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{32,}(?![0-9a-f])")


@pytest.fixture(scope="module")
def quiet(lab: Lab) -> Target:
    """A server that prints no SMS. Its long codes do not occur in a dump by chance."""
    return lab.server_with(
        SMS_BACKEND="tests.attacks.providers.Silent",
        WEB_WORKERS="1",
        LOGIN_CODE_LENGTH="8",
        LOGIN_CODE_TTL_SECONDS="300",
    )


def test_t10_dumps_contain_no_codes_or_tokens(
    lab: Lab, quiet: Target, report: Report
) -> None:
    phones = [new_phone_number() for _ in range(50)]
    codes = [quiet.code_of(phone, address=new_address()) for phone in phones]
    assert {len(code) for code in codes} == {8}
    signed_in = [quiet.sign_in(new_phone_number(), address=new_address())]
    signed_in += [
        quiet.verify(phones[i], codes[i], address=new_address()).json for i in range(5)
    ]
    tokens = [s["token"] for s in signed_in]
    tokens += [s["device_token"] for s in signed_in]
    pair = quiet.pair(new_phone_number(), address=new_address())
    tokens += [pair["access"], pair["refresh"]]
    tokens += [_claims(token)["jti"] for token in tokens[-2:]]
    dumps = {
        "Redis": dump_of_redis(lab),
        "database": dump_of_database(lab),
        "log": log_of(lab, quiet),
    }
    # Check that the dumps contain the records in question.
    assert all(phone in dumps["database"] for phone in phones[:5])
    assert '"nonce"' in dumps["Redis"]
    found = []
    for name, dump in dumps.items():
        plain = HASH.sub("", dump)  # digests often contain 8 digits in a row
        found += [f"{name}: a code" for c in codes if _stands_in(c, plain)]
        found += [f"{name}: a token" for t in tokens if t in dump]
    size = sum(map(len, dumps.values())) // 1024
    report(
        "T10",
        f"50 codes, {len(tokens)} tokens in Redis, tables, log: {size} kB",
        f"{len(found)} found",
    )
    assert found == []


def _claims(token: str) -> dict[str, str]:
    claims: dict[str, str] = jwt.decode(token, options={"verify_signature": False})
    return claims


def _stands_in(code: str, dump: str) -> bool:
    return bool(re.search(rf"(?<![0-9.]){code}(?!\d)", dump))


def test_t10_dumps_contain_no_cookies(lab: Lab, quiet: Target, report: Report) -> None:
    browser = Browser(quiet)
    browser.sign_in(new_phone_number())
    cookies = {c.name: c.value or "" for c in browser.session.cookies}
    assert set(cookies) == {"sessionid", "csrftoken", "known_device"}
    dumps = dump_of_redis(lab) + dump_of_database(lab) + log_of(lab, quiet)
    found = sorted(name for name, value in cookies.items() if value in dumps)
    report(
        "T10",
        "cookies of a signed-in browser in the same dumps",
        f"{', '.join(found) or 'none'} found",
    )
    browser.close()
    assert found == []


def _digests(phone: str, nonce: str, code: str) -> Iterator[str]:
    """Digests that a careless implementation might store."""
    hashed = [code, nonce + code, code + nonce, f"{nonce}:{code}", phone + code]
    hashed += [f"{phone} {nonce} {code}", f"{phone}:{code}", f"{nonce}{phone}{code}"]
    for text in hashed:
        yield hashlib.sha256(text.encode()).hexdigest()
    keys = ["", "secret", "django-insecure", nonce, phone]
    for key in keys:
        for text in (code, phone + code, nonce + code):
            mac = hmac.new(key.encode(), text.encode(), hashlib.sha256)
            yield mac.hexdigest()


GUESSED_SECRETS = ["secret", "django-insecure", "change-me"]


def _derived(phone: str, nonce: str, secret: str) -> str:
    """The code that the service would derive with this secret."""
    number = salted_hmac("users.phone", phone, secret, algorithm="sha256").hexdigest()
    text = f"{number} {nonce} sign-in"
    mac = salted_hmac("users.codes", text, secret, algorithm="sha256")
    return f"{int(mac.hexdigest(), 16) % 10_000:04}"


def test_t10_dump_does_not_reveal_a_code_to_brute_force(
    lab: Lab, target: Target, report: Report
) -> None:
    phone = new_phone_number()
    code = target.code_of(phone, address=new_address())
    dump = dump_of_redis(lab) + dump_of_database(lab)
    kept = {text.casefold() for text in HASH.findall(dump)}
    # Assume that the attacker knows which record belongs to the number.
    secret = lab.web.env["SECRET_KEY"]
    pseudonym = salted_hmac("users.phone", phone, secret=secret, algorithm="sha256")
    record = next(
        line
        for line in dump.splitlines()
        if f"code:{pseudonym.hexdigest()}:sign-in " in line
    )
    nonce = json.loads(record[record.index("{") :])["nonce"]
    assert _derived(phone, nonce, secret) == code  # the right record
    tried = matched = 0
    for n in range(10_000):
        for digest in _digests(phone, nonce, f"{n:04}"):
            tried += 1
            matched += digest in kept
    guessed = [_derived(phone, nonce, key) for key in GUESSED_SECRETS]
    report(
        "T10",
        f"all 10,000 codes × {tried // 10_000} ways to hash, without the secret",
        f"{matched} match among {len(kept)} digests",
    )
    assert matched == 0
    assert code not in guessed


def test_t15_codes_are_uniform(report: Report) -> None:
    number = 100_000
    codes = [
        random_digits("somebody", secrets.token_hex(16), 4, SIGN_IN)
        for _ in range(number)
    ]
    counts = Counter(codes)
    expected = number / 10_000
    chi = sum((counts[f"{n:04}"] - expected) ** 2 / expected for n in range(10_000))
    leading = sum(code[0] == "0" for code in codes)
    digits = [Counter(code[place] for code in codes) for place in range(4)]
    spread = max(abs(n - number / 10) for place in digits for n in place.values())
    report(
        "T15",
        "100,000 codes",
        f"chi-squared {chi:.0f} (9,999 ± 707), {leading} with a leading zero",
    )
    assert {len(code) for code in codes} == {4}
    assert abs(chi - 9_999) < 707  # five standard deviations
    assert abs(leading - number / 10) < 475
    assert spread < 475


def test_t15_only_the_secrets_module_is_used(report: Report) -> None:
    places = [
        path
        for app in ("users", "referrals", "limits", "config")
        for path in (servers.ROOT / app).rglob("*.py")
        if not {"tests", "migrations", "management"} & set(path.parts)
    ]
    weak = {
        path.relative_to(servers.ROOT).as_posix()
        for path in places
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and {"random"} & {a.name for a in node.names})
        or (isinstance(node, ast.ImportFrom) and node.module == "random")
    }
    report("T15", "modules that import `random`", f"{', '.join(sorted(weak))}")
    assert weak <= {"users/channels/console.py"}  # the delay of a simulated SMS


@dataclass
class Person:
    phone_number: str
    user_id: int
    token: str
    jwts: dict[str, str]
    browser: Browser

    def answers(self, server: Target) -> list[int]:
        """Statuses with the token, the browser's cookies and the two JWTs."""
        path = "/api/profile/"
        profile = server.with_token("GET", path, self.token)
        page = self.browser.get("/profile/")
        access = server.with_token("GET", path, self.jwts["access"], scheme="Bearer")
        refresh = {"token": self.jwts["refresh"]}
        verified = server.post("/api/auth/jwt/verify/", refresh)
        return [profile.status, page.status_code, access.status, verified.status]


def _person(server: Target) -> Person:
    phone = new_phone_number()
    signed_in = server.sign_in(phone, address=new_address())
    time.sleep(1.1)  # the wait between two sends
    jwts = server.pair(phone, address=new_address())
    time.sleep(1.1)
    browser = Browser(server)
    browser.sign_in(phone)
    return Person(phone, signed_in["user"]["id"], signed_in["token"], jwts, browser)


def _log_out(lab: Lab, server: Target, person: Person) -> None:
    path = "/api/auth/logout/"
    server.with_token("POST", path, person.token)
    server.with_token("POST", path, person.jwts["access"], scheme="Bearer")
    cookies = dict(person.browser.session.cookies)
    person.browser.post("/logout/", form="/profile/")
    person.browser.session.cookies.update(cookies)  # a thief has copied the cookies


def _log_out_all(lab: Lab, server: Target, person: Person) -> None:
    server.with_token("POST", "/api/auth/logout-all/", person.token)


def _log_out_everywhere(lab: Lab, server: Target, person: Person) -> None:
    cookies = dict(person.browser.session.cookies)
    person.browser.post("/logout/everywhere/", form="/profile/")
    person.browser.session.cookies.update(cookies)


def _deactivate(lab: Lab, server: Target, person: Person) -> None:
    query = "UPDATE users_user SET is_active = false WHERE id = %s"
    write(lab, query, person.user_id)


def _delete(lab: Lab, server: Target, person: Person) -> None:
    cookies = dict(person.browser.session.cookies)
    digits = person.phone_number[-4:]
    person.browser.post("/profile/delete/", last_digits=digits)
    person.browser.session.cookies.update(cookies)


def _end_devices(lab: Lab, server: Target, person: Person) -> None:
    path = "/api/auth/sessions/"
    devices = server.with_token("GET", path, person.token).json["results"]
    assert len(devices) == 3
    for device in sorted(devices, key=lambda device: bool(device["is_current"])):
        server.with_token("DELETE", f"{path}{device['id']}/", person.token)


ENDS: dict[str, Callable[[Lab, Target, Person], None]] = {
    "logout": _log_out,
    "logout-all": _log_out_all,
    "logout on all devices on the page": _log_out_everywhere,
    "deactivation": _deactivate,
    "deletion": _delete,
    "each device signed out from the first": _end_devices,
}


@pytest.mark.parametrize("end", ENDS)
def test_t16_stolen_tokens_end(lab: Lab, report: Report, end: str) -> None:
    server = lab.server_with(LOGIN_CODE_RESEND_SECONDS="1")
    person = _person(server)
    assert person.answers(server) == [200, 200, 200, 200]
    ENDS[end](lab, server, person)
    token, browser, access, refresh = person.answers(server)
    report(
        "T16",
        f"a stolen token, session and JWTs after {end}",
        f"token {token}, browser {browser}, access {access}, refresh {refresh}",
    )
    person.browser.close()
    assert (token, browser, access, refresh) == (401, 302, 401, 401)


def test_t16_copied_refresh_token_signs_its_device_out(
    target: Target, report: Report
) -> None:
    """Thief and owner use the same refresh token at once."""
    pair = target.pair(new_phone_number(), address=new_address())
    answers = at_once(100, lambda i: target.refresh(pair["refresh"]))
    *_, new = (answer.json for answer in answers if answer.status == 200)
    after = target.refresh(new["refresh"])
    access = target.with_token("GET", "/api/profile/", new["access"], scheme="Bearer")
    seen = names(answers)
    report(
        "T16",
        "one refresh token 100 times at once",
        f"{seen['200']} × 200, {seen['token_invalid']} refused; then the new pair: "
        f"refresh {after.status}, access {access.status}",
    )
    # The second counts as the repeat of the first.
    assert seen == {"200": 2, "token_invalid": 98}
    assert (after.status, access.status) == (401, 401)


@pytest.mark.filterwarnings("ignore:The HMAC key is")
def test_t16_forged_jwts_are_refused(lab: Lab, target: Target, report: Report) -> None:
    pair = target.pair(new_phone_number(), address=new_address())
    claims = _claims(pair["access"])
    keys = [*GUESSED_SECRETS, "", "k" * 64, pair["access"], lab.web.env["SECRET_KEY"]]
    forged = [jwt.encode(claims, "", "none"), pair["refresh"]]
    forged += [
        jwt.encode(claims, key, algorithm)
        for key in filter(None, keys)
        for algorithm in ("HS256", "HS384", "HS512")
    ]
    head, body, signature = pair["access"].split(".")
    forged += [f"{head}.{body}.", f"{head}.{body}.{signature[::-1]}", f".{body}."]
    statuses = Counter(
        target.with_token("GET", "/api/profile/", token, scheme="Bearer").status
        for token in forged
    )
    report("T16", f"{len(forged)} forged JWTs", f"{dict(statuses)}")
    assert statuses == {401: len(forged)}


def test_t18_look_ups_are_limited_and_masked(target: Target, report: Report) -> None:
    phone = new_phone_number()
    owner = target.sign_in(phone, address=new_address())["user"]
    address = new_address()
    path = f"/i/{owner['invite_code']}/"
    answers = at_once(700, lambda i: target.request("GET", path, address=address))
    statuses = Counter(a.status for a in answers)
    refused = [a for a in answers if a.status == 429]
    page = next(a for a in answers if a.status == 200).body.decode()
    digits = re.sub(r"\D", "", re.sub(r"<[^>]+>", " ", page))
    waits = {int(a.headers.get("Retry-After", 0)) > 0 for a in refused}
    masked = re.findall(r"\+[\d•]+", page)
    report(
        "T18",
        "700 look-ups of an invite code from one address",
        f"{statuses[200]} answered, {statuses[429]} × 429; shown: {set(masked)}",
    )
    assert statuses == {200: 600, 429: 100}
    assert waits == {True}
    assert phone[1:] not in digits
    assert phone[2:] not in page
    assert masked
    assert all("•••••" in number for number in masked)


def test_t18_pages_and_api_share_the_limit_on_look_ups(
    target: Target, report: Report
) -> None:
    """A code request with an invite code counts as a look-up, too."""
    address = new_address()
    pages = at_once(
        600, lambda i: target.request("GET", f"/i/{i:06}/", address=address)
    )
    body = {"invite_code": "ZZZZZZ"}
    asked = target.send_code(new_phone_number(), address=address, body=body)
    report(
        "T18",
        "600 unknown codes on the page, then one through the API",
        f"{names(pages)['404']} answered, then {asked.name}",
    )
    assert names(pages) == {"404": 600}
    assert asked.status == 429
    assert asked.limit == "lookups_per_address"
