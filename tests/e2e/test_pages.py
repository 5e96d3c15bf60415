"""Pages in a real browser: on phone and desktop, with and without JavaScript."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage, Server
from tests.lab.shared import new_phone_number, wrong

PHONE: dict[str, Any] = {"viewport": {"width": 320, "height": 640}, "has_touch": True}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}

WORDS = {
    "en": {
        "send": "Send the code",
        "sign_in": "Sign in",
        "accept": "Accept and sign in",
        "shown": "see your whole phone number",
        "counted": "Your invitation has been counted",
        "one": "1 person",
        "wrong": "4 attempts left",
        "sign_out": "Sign out",
    },
    "ru": {
        "send": "Отправить код",
        "sign_in": "Войти",
        "accept": "Принять и войти",
        "shown": "увидит ваш номер телефона полностью",
        "counted": "Ваше приглашение засчитано",
        "one": "1 человек",
        "wrong": "Осталось 4 попытки",
        "sign_out": "Выйти",
    },
}


def ask_for_code(page: Page, phone_number: str, language: str = "en") -> str:
    """Fill in the login page; return the code that DEBUG shows on the next page."""
    page.locator("[name=phone_number]").fill(phone_number)
    page.get_by_role("button", name=WORDS[language]["send"]).click()
    page.wait_for_url("**/login/code/")
    return page.locator("#dev-code").inner_text()


def enter_code(page: Page, code: str, language: str = "en") -> None:
    """Type the code. Without JavaScript also press the button."""
    has_scripts = page.locator("html[data-scripts]").count() > 0
    page.locator("[name=code]").press_sequentially(code)
    if not has_scripts:
        page.get_by_role("button", name=WORDS[language]["sign_in"]).click()


def sign_in(page: Page, phone_number: str) -> None:
    page.goto("/login/")
    enter_code(page, ask_for_code(page, phone_number))
    page.wait_for_url("**/profile/")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_invited_person_signs_in_through_a_link(
    open_page: OpenPage, language: str, scripts: bool
) -> None:
    words = WORDS[language]
    options = {"locale": language, "java_script_enabled": scripts}
    alice = open_page(**DESK, **options)
    alice.goto("/")
    alice.get_by_role("link", name=words["sign_in"]).click()
    code = ask_for_code(alice, new_phone_number(), language)
    enter_code(alice, code, language)
    alice.wait_for_url("**/profile/")
    link = alice.locator(".invite-link").inner_text()

    boris = open_page(**PHONE, **options)
    boris.goto(link)
    expect(boris.locator("main")).to_contain_text("•••••")
    expect(boris.locator("main")).to_contain_text(words["shown"])
    boris.get_by_role("button", name=words["accept"]).click()
    expect(boris.locator(".invited")).to_contain_text(words["shown"])
    code = ask_for_code(boris, phone := new_phone_number(), language)
    enter_code(boris, code, language)
    boris.wait_for_url("**/profile/")
    expect(boris.get_by_role("status").first).to_contain_text(words["counted"])

    alice.reload()
    people = alice.locator("section", has=alice.locator("#invited"))
    expect(people).to_contain_text(words["one"])
    expect(people).to_contain_text(phone[-2:])

    boris.get_by_role("button", name=words["sign_out"], exact=True).click()
    boris.goto("/profile/")
    expect(boris).to_have_url(re.compile("/login/"))


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_right_code_works_after_a_wrong_one(
    open_page: OpenPage, language: str, scripts: bool
) -> None:
    page = open_page(**PHONE, locale=language, java_script_enabled=scripts)
    page.goto("/login/")
    code = ask_for_code(page, new_phone_number(), language)
    enter_code(page, wrong(code), language)
    expect(page.get_by_role("alert")).to_contain_text(WORDS[language]["wrong"])
    page.locator("[name=code]").fill("")
    enter_code(page, code, language)
    page.wait_for_url("**/profile/")


def test_form_errors_are_shown_at_their_fields(
    open_page: OpenPage, server: Server
) -> None:
    owners = [server.sign_in(new_phone_number())["user"] for _ in range(2)]
    page = open_page()
    page.goto("/login/")
    page.locator("[name=phone_number]").fill("12")
    page.get_by_role("button", name="Send the code").click()
    refused(page, "phone_number", "not a phone number")

    sign_in(page, new_phone_number())
    own = page.locator("#invite-code").inner_text()
    for code, text in [
        ("nonsense", "no such invite code"),
        ("000000", "no such invite code"),
        (own, "your own invite code"),
    ]:
        page.goto("/profile/")
        page.locator("[name=invite_code]").fill(code)
        page.get_by_role("button", name="Next").click()
        refused(page, "invite_code", text)
    page.locator("[name=invite_code]").fill(owners[0]["invite_link"])
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Yes, activate it").click()
    expect(page.get_by_role("status").first).to_contain_text("activated")
    page.goto(f"/profile/activate/?invite_code={owners[1]['invite_code']}")
    expect(page.locator("main")).to_contain_text("already activated an invite code")
    expect(page.get_by_role("button", name="Yes, activate it")).to_have_count(0)

    page.goto("/profile/edit/")
    page.locator("[name=email]").fill("a@b")
    page.get_by_role("button", name="Save").click()
    refused(page, "email", "valid email")

    page.goto("/profile/delete/")
    page.locator("[name=last_digits]").fill("none")
    page.get_by_role("button", name="Delete for good").click()
    refused(page, "last_digits", "not the last digits")


def refused(page: Page, name: str, text: str) -> None:
    field = page.locator(f"[name={name}]:not([type=hidden])")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile(text))


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_accepted_invitation_can_be_dropped(
    open_page: OpenPage, server: Server, scripts: bool
) -> None:
    owner = server.sign_in(new_phone_number())["user"]
    page = open_page(**PHONE, java_script_enabled=scripts)
    page.goto(f"/login/?invite={owner['invite_code']}")
    page.get_by_role("button", name="Accept and sign in").click()
    page.get_by_role("button", name="Not this one").click()
    expect(page.locator(".invited")).to_have_count(0)
    sign_in(page, new_phone_number())
    page.goto("/profile/activate/")
    expect(page.get_by_label("Invite code or link")).to_be_visible()


def test_account_is_edited_and_deleted(open_page: OpenPage) -> None:
    page = open_page(**PHONE)
    sign_in(page, phone := new_phone_number())
    page.get_by_role("link", name="Edit name and e-mail").click()
    page.get_by_label("First name").fill("<b>Boris</b>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("<b>Boris</b>")
    page.get_by_role("link", name="Delete the account").click()
    page.get_by_label("Last four digits").fill(phone[-4:])
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("status").first).to_contain_text("has been deleted")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_number_is_changed(open_page: OpenPage, scripts: bool) -> None:
    page = open_page(**PHONE, java_script_enabled=scripts)
    sign_in(page, new_phone_number())
    invite_code = page.locator("#invite-code").inner_text()
    page.get_by_role("link", name="Change the number").click()
    page.get_by_label("New phone number").fill(phone := new_phone_number())
    page.get_by_role("button", name="Send the codes").click()
    page.wait_for_url("**/profile/phone/code/")
    for which in ("old", "new"):
        code = page.locator(f"#dev-{which}-code").inner_text()
        page.locator(f"[name={which}_code]").fill(code)
    page.get_by_role("button", name="Change the number").click()
    page.wait_for_url("**/profile/")
    expect(page.get_by_role("status").first).to_contain_text("Your number is changed")
    expect(page.get_by_role("heading", level=1)).to_contain_text(phone[-2:])
    expect(page.locator("#invite-code")).to_have_text(invite_code)


def test_pages_work_with_the_keyboard(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/login/")
    page.keyboard.type(new_phone_number())  # the field has the focus
    page.keyboard.press("Enter")
    page.wait_for_url("**/login/code/")
    page.keyboard.type(page.locator("#dev-code").inner_text())
    page.wait_for_url("**/profile/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    reached = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim()"))
    assert {"Copy the link", "Next", "Sign out", "Delete the account"} <= reached


def test_double_click_sends_one_request(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/login/")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.locator("[name=phone_number]").fill(new_phone_number())
    page.get_by_role("button", name="Send the code").dblclick()
    page.wait_for_url("**/login/code/")
    assert sent.count("POST") == 1


def test_button_shows_that_the_sms_is_being_sent(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/login/")
    # Playwright cannot inspect a page that is being replaced, so keep this page.
    page.evaluate("() => { document.onsubmit = (event) => event.preventDefault() }")
    page.locator("[name=phone_number]").fill(new_phone_number())
    button = page.locator("main form button")
    button.click()
    expect(button).to_have_text("Sending the code…")
    expect(page.locator("form[aria-busy=true]")).to_be_visible()


def test_send_again_button_counts_down(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/login/")
    ask_for_code(page, new_phone_number())
    button = page.get_by_role("button", name=re.compile("Send again in 5"))
    expect(button).to_be_disabled()


def test_invite_link_is_copied(open_page: OpenPage) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    sign_in(page, new_phone_number())
    page.get_by_role("button", name="Copy the link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator(".invite-link").inner_text()


def test_language_is_switched(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/login/")
    page.get_by_role("button", name="Русский").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Войти")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


@pytest.mark.parametrize("path", ["/", "/login/"])
def test_first_page_load_is_small(open_page: OpenPage, path: str) -> None:
    page = open_page(**PHONE)
    loaded: list[tuple[str, int]] = []

    def count(request: Any) -> None:
        sizes = request.sizes()
        size = sizes["responseBodySize"] + sizes["responseHeadersSize"]
        loaded.append((request.url, size))

    page.on("requestfinished", count)
    page.goto(path, wait_until="networkidle")
    total = sum(size for _, size in loaded)
    print(f"\n  {path}: {len(loaded)} requests, {total / 1024:.1f} KiB", end="")
    assert len(loaded) <= 5
    assert total <= 60 * 1024
    assert {urlsplit(url).hostname for url, _ in loaded} == {"127.0.0.1"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["320", "1280"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_pages_are_accessible_and_fit_the_screen(
    open_page: OpenPage,
    server: Server,
    language: str,
    size: dict[str, Any],
    scheme: str,
) -> None:
    owner = server.sign_in(new_phone_number())["user"]
    page = open_page(**size, locale=language, color_scheme=scheme)
    for path in (
        "/",
        f"/i/{owner['invite_code']}/",
        "/i/nonsense/",
        f"/login/?invite={owner['invite_code']}",
    ):
        page.goto(path)
        check(page)
    page.get_by_role("button", name=WORDS[language]["accept"]).click()
    page.wait_for_url("**/login/")
    check(page)
    page.locator("[name=phone_number]").fill("12")
    page.get_by_role("button", name=WORDS[language]["send"]).click()
    expect(page.get_by_role("alert")).to_be_visible()
    check(page)
    code = ask_for_code(page, new_phone_number(), language)
    check(page)
    enter_code(page, wrong(code), language)
    expect(page.get_by_role("alert")).to_be_visible()
    check(page)
    page.locator("[name=code]").fill("")
    enter_code(page, code, language)
    page.wait_for_url("**/profile/")
    check(page)
    invite_code = page.locator("#invite-code").inner_text()
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda i: come_by(server, invite_code), range(3)))
    for path in (
        "/profile/",
        "/profile/activate/",
        "/profile/edit/",
        "/profile/phone/",
        "/profile/delete/",
        "/profile/devices/",
        f"/i/{invite_code}/",
    ):
        page.goto(path)
        check(page)
    other = server.sign_in(new_phone_number())["user"]["invite_code"]
    for path in (f"/i/{other}/", f"/profile/activate/?invite_code={other}"):
        page.goto(path)
        check(page)
    page.goto("/profile/phone/")
    page.locator("[name=phone_number]").fill(new_phone_number())
    page.locator("main form button").click()
    page.wait_for_url("**/profile/phone/code/")
    check(page)
    page.locator("[name=old_code]").fill("0")
    page.locator("[name=new_code]").fill(page.locator("#dev-new-code").inner_text())
    page.locator("main form button").first.click()
    expect(page.get_by_role("alert")).to_be_visible()
    check(page)


def come_by(server: Server, invite_code: str) -> None:
    phone_number = new_phone_number()
    code = server.ask_for_code(phone_number)
    server.verify(phone_number, code, invite_code=invite_code)


def check(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    overflow = "document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(overflow) <= 0, f"{page.url} is wider than the screen"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/redoc/", "h2:has-text('Send a login code')"),
        ("/swagger/", "[data-path='/api/auth/request-code/']"),
    ],
)
def test_api_documentation_loads_nothing_from_other_hosts(
    open_page: OpenPage, path: str, shown: str
) -> None:
    page = open_page()
    hosts = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    page.goto(path, wait_until="networkidle")
    expect(page.locator(shown).first).to_be_visible(timeout=15_000)
    # None is the host of a web worker that the page creates from a blob.
    assert hosts - {None} == {"127.0.0.1"}


def test_admin_site_works_with_the_content_security_policy(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/admin/")
    expect(page.get_by_label("Phone number")).to_be_visible()


STAFF_PAGES = ["/admin/", "/admin/dashboard/", "/admin/referrals/referral/why/"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_staff_pages_are_accessible(
    open_page: OpenPage, staff: tuple[str, str], scheme: str
) -> None:
    page = open_page(color_scheme=scheme)
    page.goto("/admin/")
    page.locator("[name=username]").fill(staff[0])
    page.locator("[name=password]").fill(staff[1])
    page.locator("[type=submit]").click()
    page.get_by_label("Find a person").fill(staff[0])
    page.get_by_role("button", name="Search").click()
    page.locator("th.field-phone_number a").click()
    expect(page.get_by_role("button", name="Unlock")).to_be_visible()
    for path in [urlsplit(page.url).path, *STAFF_PAGES]:
        page.goto(path)
        if "dashboard" in path:
            expect(page.get_by_role("img", name="New people")).to_be_visible()
        found = Axe().run(page, options={"preload": False})
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
