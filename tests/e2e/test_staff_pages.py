"""The admin site in a real browser: it works, and is accessible."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import DESK, PHONE, OpenPage, Server, check, sign_up_with_code
from tests.lab.shared import new_phone_number


def test_admin_site_works_with_the_content_security_policy(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/admin/")
    expect(page.get_by_label("Phone number")).to_be_visible()


# `{invitee}` is the id of somebody whom `{inviter}` invited.
STAFF_PAGES = [
    "/admin/",
    "/admin/dashboard/",
    "/admin/password_change/",
    "/admin/auth/group/",
    "/admin/auth/group/add/",
    "/admin/referrals/",
    "/admin/referrals/correction/",
    "/admin/referrals/referral/",
    "/admin/referrals/referral/why/",
    "/admin/referrals/referral/{invitee}/change/",
    "/admin/referrals/referral/{invitee}/correct/",
    "/admin/referrals/referral/{inviter}/replace-code/",
    "/admin/users/user/",
    "/admin/users/user/?q=nobody",
    "/admin/users/user/add/",
    "/admin/users/user/number/",
    "/admin/users/user/{inviter}/change/",
    "/admin/users/user/{invitee}/delete/",
    "/admin/users/user/{invitee}/history/",
    "/admin/users/user/{invitee}/password/",
    "/admin/webhooks/event/",
]


@pytest.mark.parametrize(
    ("scheme", "language", "size"),
    [("light", "en", DESK), ("dark", "ru", PHONE)],
    ids=["light", "dark"],
)
def test_staff_pages_are_accessible(
    open_page: OpenPage,
    server: Server,
    staff: tuple[str, str],
    scheme: str,
    language: str,
    size: dict[str, Any],
) -> None:
    inviter = server.sign_in(inviter_phone := new_phone_number())["user"]
    sign_up_with_code(
        server, inviter["invite_code"], invitee_phone := new_phone_number()
    )
    page = open_page(**size, locale=language, color_scheme=scheme)
    page.goto("/admin/")
    check_staff(page)
    # Something to show in the history of the number.
    page.request.post("/api/auth/request-code/", data={"phone_number": staff[0]})
    for password in ("wrong", staff[1]):
        page.locator("[name=username]").fill(staff[0])
        page.locator("[name=password]").fill(password)
        page.locator("[type=submit]").click()
        check_staff(page)
    ids = {
        "inviter": open_person(page, inviter_phone),
        "invitee": open_person(page, invitee_phone),
    }
    open_person(page, staff[0])
    expect(page.locator("form[action$='/unlock/'] button")).to_be_visible()
    expect(page.locator("#timeline + table tbody tr").first).to_be_visible()
    check_staff(page)
    for path in STAFF_PAGES:
        page.goto(path.format(**ids))
        if "dashboard" in path:
            expect(page.locator("figure canvas").first).to_be_visible()
        check_staff(page)
    fill_in_staff_forms(page, ids, inviter["invite_code"], invitee_phone)
    page.locator("#logout-form button").click()
    check_staff(page)


def open_person(page: Page, phone_number: str) -> str:
    """Find somebody from the first page, as support staff do. Returns the id."""
    page.goto("/admin/")
    page.locator("#find").fill(phone_number)
    page.locator(".find [type=submit]").click()
    page.locator("th.field-phone_number a").click()
    return urlsplit(page.url).path.split("/")[-3]


def fill_in_staff_forms(
    page: Page, ids: dict[str, str], invite_code: str, invitee_phone: str
) -> None:
    """Pages that only a form leads to, those with errors included."""
    submit = page.locator("#content-main .submit-row [type=submit]").first
    page.goto("/admin/referrals/referral/why/")
    page.locator("[name=invitee]").fill(invitee_phone)
    page.locator("[name=inviter]").fill(invite_code)
    submit.click()
    expect(page.locator(".reasons")).to_be_visible()
    check_staff(page)
    page.goto(f"/admin/referrals/referral/{ids['invitee']}/correct/")
    for inviter in ("000000", ""):  # no such code; nobody
        page.locator("[name=inviter]").fill(inviter)
        page.locator("[name=reason]").fill("A test.")
        submit.click()
        check_staff(page)
    page.goto(f"/admin/referrals/referral/{ids['invitee']}/correct/")
    page.locator("#corrections + table a").first.click()
    check_staff(page)
    page.goto("/admin/referrals/correction/")
    page.locator("#result_list tbody a").first.click()
    check_staff(page)
    page.goto("/admin/")
    page.locator("#find").fill(new_phone_number())
    page.locator(".find [type=submit]").click()
    check_staff(page)
    page.locator(".no-account button").click()
    expect(page.locator("#limits")).to_be_visible()
    check_staff(page)


def check_staff(page: Page) -> None:
    expect(page.locator("h1")).to_be_visible()  # of the page that a form leads to
    page.locator("details").evaluate_all("all => all.forEach(d => { d.open = true })")
    check(page, preload=False)
