"""T31, T32, T35: accounts of staff, and what the audit trail knows of them."""

import html
import json
import re
from base64 import b32decode
from collections import Counter
from typing import Any

import pytest
from django_otp.oath import totp

from tests.attacks.attacker import Target, new_address
from tests.attacks.browser import Browser
from tests.attacks.conftest import Lab, Report, manage, new_superuser
from tests.attacks.evidence import log_of, write
from tests.lab.shared import at_once, new_phone_number

PROTECTED = "staff_account_protected"
NEW_PASSWORD = "copper lantern 42 fjord"


def superusers(lab: Lab) -> list[tuple[Any, ...]]:
    return lab.rows("SELECT id, phone_number FROM users_user WHERE is_superuser")


def id_of(lab: Lab, phone: str) -> int:
    ((pk,),) = lab.rows("SELECT id FROM users_user WHERE phone_number = %s", phone)
    assert isinstance(pk, int)
    return pk


def audited(lab: Lab, server: Target) -> list[dict[str, Any]]:
    lines = re.findall(r'^{.*"logger": "audit".*}$', log_of(lab, server), re.MULTILINE)
    return [json.loads(line) for line in lines]


def sign_in(browser: Browser, phone: str, password: str) -> None:
    answer = browser.post("/admin/login/", username=phone, password=password)
    assert answer.status_code == 302, answer.text


def test_t31_a_code_neither_deletes_nor_moves_a_superuser(
    lab: Lab, target: Target, report: Report
) -> None:
    """The thief has the phones of three superusers, and so every code."""
    by_token, by_jwt, by_page = (new_superuser(lab)[0] for _ in range(3))
    before, new = superusers(lab), new_phone_number()
    token = target.sign_in(by_token, address=new_address())["token"]
    access = target.pair(by_jwt, address=new_address())["access"]
    codes = {"phone_number": new, "old_code": "0000", "new_code": "0000"}
    answers = [
        target.with_token(method, f"/api/profile/{path}", secret, body, scheme=scheme)
        for scheme, secret in (("Token", token), ("Bearer", access))
        for method, path, body in (
            ("DELETE", "", None),
            ("POST", "phone/request-code/", {"phone_number": new}),
            ("POST", "phone/", codes),
        )
    ]
    browser = Browser(target)
    browser.sign_in(by_page)
    pages = [
        browser.post("/profile/delete/", last_digits=by_page[-4:]),
        browser.post("/profile/phone/", phone_number=new),
    ]
    person = f"/admin/users/user/{id_of(lab, by_page)}"
    admin = [browser.get(f"{person}/{page}/") for page in ("delete", "change")]
    browser.close()
    sent = log_of(lab, target).count(new)
    refusals = Counter(answer.name for answer in answers)
    report(
        "T31",
        "a superuser's code: delete and move by token, JWT and pages",
        f"{dict(refusals)}, pages {[page.status_code for page in pages]}, "
        f"{len(superusers(lab))} of {len(before)} superusers left, {sent} SMS",
    )
    assert refusals == {PROTECTED: 6}
    assert [page.status_code for page in pages] == [403, 403]
    assert [page.status_code for page in admin] == [302, 302]
    assert superusers(lab) == before
    assert sent == 0


@pytest.fixture(scope="module")
def support(lab: Lab) -> Browser:
    """Somebody of the group Support, signed in to the admin site."""
    phone, password = new_superuser(lab)
    manage(lab, "support_group")
    pk = id_of(lab, phone)
    write(lab, "UPDATE users_user SET is_superuser = false WHERE id = %s", pk)
    write(
        lab,
        "INSERT INTO users_user_groups (user_id, group_id)"
        " SELECT %s, id FROM auth_group WHERE name = 'Support'",
        pk,
    )
    browser = Browser(lab.target)
    sign_in(browser, phone, password)
    lab.running.callback(browser.close)
    return browser


def ledger(lab: Lab) -> list[tuple[Any, ...]]:
    return [
        *lab.rows("SELECT * FROM referrals_referral ORDER BY invitee_id"),
        *lab.rows("SELECT * FROM referrals_correction ORDER BY id"),
    ]


def test_t32_support_corrects_nothing_of_staff(
    lab: Lab, target: Target, report: Report, support: Browser
) -> None:
    phone, _ = new_superuser(lab)
    superuser = id_of(lab, phone)
    inviter = target.sign_in(new_phone_number(), address=new_address())["user"]
    person = target.sign_in(new_phone_number(), address=new_address())["user"]
    write(
        lab,
        "INSERT INTO referrals_referral (invitee_id, inviter_id, code_used, created_at)"
        " VALUES (%s, %s, %s, now())",
        superuser,
        inviter["id"],
        inviter["invite_code"],
    )
    write(
        lab,
        "INSERT INTO referrals_correction (invitee_id, code_before, code_after, reason,"
        " created_at) VALUES (%s, '', %s, 'x', now())",
        superuser,
        inviter["invite_code"],
    )
    ((correction,),) = lab.rows("SELECT max(id) FROM referrals_correction")
    referral = f"/admin/referrals/referral/{superuser}"
    seen = f"{inviter['id']}:{inviter['invite_code']}"
    attacks: list[tuple[str, dict[str, str]]] = [
        (f"{referral}/correct/", {"inviter": "", "reason": "x", "seen": seen}),
        (
            f"/admin/referrals/referral/{person['id']}/correct/",
            {"inviter": phone, "reason": "x", "seen": ":"},  # credit the superuser
        ),
        (f"{referral}/change/", {"code_used": "AAAAAA"}),
        (f"{referral}/delete/", {"post": "yes"}),
        (f"/admin/referrals/correction/{correction}/revert/", {"reason": "x"}),
        (f"/admin/referrals/correction/{correction}/delete/", {"post": "yes"}),
        ("/admin/referrals/referral/add/", {"code_used": "AAAAAA"}),
    ]
    before = ledger(lab)
    answers = [
        support.post(path, form="/admin/referrals/referral/why/", **form).status_code
        for path, form in attacks
    ]
    allowed = support.get(f"/admin/referrals/referral/{person['id']}/correct/")
    report(
        "T32",
        f"Support: {len(attacks)} forms to correct a superuser's inviter",
        f"{dict(Counter(answers))}, {len(set(ledger(lab)) ^ set(before))} rows changed",
    )
    assert set(answers) == {403}
    assert ledger(lab) == before
    assert allowed.status_code == 200  # else the test tests nothing


def test_t35_every_check_of_a_password_is_on_record(
    lab: Lab, target: Target, report: Report
) -> None:
    phone, password = new_superuser(lab)
    pk, address = id_of(lab, phone), new_address()
    thief = Browser(target)
    thief.session.headers["X-Forwarded-For"] = address
    for _ in range(25):
        thief.post("/admin/login/", username=phone, password="wrong")
    thief.close()
    owner = Browser(target)
    sign_in(owner, phone, password)
    owner.close()
    key = manage(lab, "address_key", address).split()[0]
    lines = audited(lab, target)
    found = Counter(line["event"] for line in lines if line.get("address") == key)
    of_owner = [line for line in lines if line.get("user") == pk]
    report(
        "T35",
        "25 wrong passwords of a superuser from one address",
        f"{dict(found)}, found by the key of the address",
    )
    assert found == {"password.wrong": 20, "password.refused": 5}
    events = [line["event"] for line in of_owner if line.get("address") != key]
    assert events[-1] == "password.right"
    assert Counter(line["event"] for line in of_owner)["password.wrong"] == 20
    assert address not in json.dumps(lines)


def test_t35_every_change_of_rights_is_on_record(
    lab: Lab, target: Target, report: Report
) -> None:
    phone, password = new_superuser(lab)
    victim = new_phone_number()
    person = target.sign_in(victim, address=new_address())["user"]["id"]
    browser = Browser(target)
    sign_in(browser, phone, password)
    page = f"/admin/users/user/{person}"
    form = {"phone_number": victim, "is_active": "on"}
    both = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    browser.post(f"{page}/change/", **form, is_staff="on", is_superuser="on")
    browser.post(f"{page}/password/", **both, usable_password="true")
    browser.post(f"{page}/reset-second-factor/", form=f"{page}/change/")
    browser.post(f"{page}/change/", **form)
    key = manage(lab, "address_key", str(browser.session.headers["X-Forwarded-For"]))
    browser.close()
    superuser = id_of(lab, phone)
    told = [
        (line["event"], line.get("added"), line.get("removed"))
        for line in audited(lab, target)
        if (line.get("by"), line.get("user")) == (superuser, person)
        and line["address"] == key.split()[0]
    ]
    report("T35", "rights given and taken, a password set", f"{len(told)} lines")
    assert told == [
        ("rights.changed", "staff, superuser", ""),
        ("password.set", None, None),
        ("rights.changed", "password", ""),
        ("rights.changed", "", "staff, superuser"),
    ]


def set_up_second_factor(lab: Lab, server: Target) -> tuple[str, str, list[str]]:
    """A superuser's number, password and backup codes."""
    phone, password = new_superuser(lab)
    browser = Browser(server)
    sign_in(browser, phone, password)
    page = browser.get("/admin/second-factor/set-up/").text
    shown = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert shown, page
    code = f"{totp(b32decode(shown[1].replace(' ', ''))):06}"
    done = browser.post("/admin/second-factor/set-up/", code=code)
    assert browser.get("/admin/").status_code == 200
    browser.close()
    codes = re.search(r"<textarea[^>]*>([^<]+)<", done.text)
    assert codes, done.text
    return phone, password, html.unescape(codes[1]).split()


def test_t35_a_backup_code_opens_the_site_once(lab: Lab, report: Report) -> None:
    server = lab.server_with(ADMIN_SECOND_FACTOR="on")
    phone, password, codes = set_up_second_factor(lab, server)
    browsers = [Browser(server) for _ in range(8)]
    for browser in browsers:
        sign_in(browser, phone, password)
    at_once(8, lambda i: browsers[i].post("/admin/second-factor/", code=codes[0]))
    inside = [browser.get("/admin/").status_code for browser in browsers]
    for browser in browsers:
        browser.close()
    report(
        "T35",
        "one backup code in 8 browsers at once, after the right password",
        f"{inside.count(200)} got in",
    )
    assert Counter(inside) == {200: 1, 302: 7}


def test_t35_a_stolen_password_does_not_open_the_site(lab: Lab, report: Report) -> None:
    """The thief knows the password and guesses at the second factor, all at once."""
    server = lab.server_with(ADMIN_SECOND_FACTOR="on")
    phone, password, codes = set_up_second_factor(lab, server)
    thief = Browser(server)
    sign_in(thief, phone, password)
    page = thief.get("/admin/second-factor/").text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token, page
    cookies = "; ".join(f"{c.name}={c.value}" for c in thief.session.cookies)
    headers = {
        "Cookie": cookies,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    at_once(
        300,
        lambda i: server.request(
            "POST",
            "/admin/second-factor/",
            raw=f"code={i:06}&csrfmiddlewaretoken={token[1]}".encode(),
            address=new_address(),
            headers=headers,
        ),
        threads=30,
    )
    inside = thief.get("/admin/").status_code
    # The limit refuses a right code as well: whoever guesses learns nothing.
    thief.post("/admin/second-factor/", code=codes[0])
    superuser = id_of(lab, phone)
    events = Counter(
        line["event"] for line in audited(lab, server) if line.get("user") == superuser
    )
    ((codes_left,),) = lab.rows(
        "SELECT count(*) FROM otp_static_statictoken JOIN otp_static_staticdevice d"
        " ON d.id = device_id WHERE user_id = %s",
        superuser,
    )
    report(
        "T35",
        "300 second factors at once after the right password",
        f"{events['second_factor.wrong']} compared, "
        f"{events['second_factor.refused']} refused, /admin/ answers {inside}",
    )
    thief.close()
    assert events["second_factor.wrong"] == 20
    assert events["second_factor.refused"] == 281
    assert events["second_factor.right"] == 0
    assert inside == 302
    assert codes_left == 10
