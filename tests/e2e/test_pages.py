"""Pages in a real browser: on phone and desktop, with and without JavaScript."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import (
    DESK,
    PHONE,
    WORDS,
    OpenPage,
    Server,
    ask_for_code,
    check,
    enter_code,
    sign_in,
)
from tests.lab.shared import new_phone_number, wrong


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
    refused(page, "phone_number", "not a valid phone number")

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
    page.get_by_role("button", name="Yes, accept the invitation").click()
    expect(page.get_by_role("status").first).to_contain_text("activated")
    page.goto(f"/profile/activate/?invite_code={owners[1]['invite_code']}")
    expect(page.locator("main")).to_contain_text("already activated an invite code")
    expect(page.get_by_role("button", name="Yes, accept the invitation")).to_have_count(
        0
    )

    page.goto("/profile/edit/")
    page.locator("[name=email]").fill("a@b")
    page.get_by_role("button", name="Save").click()
    refused(page, "email", "valid email")

    page.goto("/profile/delete/")
    page.locator("[name=last_digits]").fill("none")
    page.get_by_role("button", name="Delete permanently").click()
    refused(page, "last_digits", "not the last 4 digits")


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
    page.get_by_role("button", name="Remove this invitation").click()
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
    page.get_by_role("link", name="Delete my account").click()
    page.get_by_label("Last 4 digits").fill(phone[-4:])
    page.get_by_role("button", name="Delete permanently").click()
    expect(page.get_by_role("status").first).to_contain_text("has been deleted")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_number_is_changed(open_page: OpenPage, scripts: bool) -> None:
    page = open_page(**PHONE, java_script_enabled=scripts)
    sign_in(page, new_phone_number())
    invite_code = page.locator("#invite-code").inner_text()
    page.get_by_role("link", name="Change my number").click()
    page.get_by_label("New phone number").fill(phone := new_phone_number())
    page.get_by_role("button", name="Send the codes").click()
    page.wait_for_url("**/profile/phone/code/")
    for which in ("old", "new"):
        code = page.locator(f"#dev-{which}-code").inner_text()
        page.locator(f"[name={which}_code]").fill(code)
    page.get_by_role("button", name="Change my number").click()
    page.wait_for_url("**/profile/")
    expect(page.get_by_role("status").first).to_contain_text(
        "Your number has been changed"
    )
    expect(page.get_by_role("heading", level=1)).to_contain_text(phone[-2:])
    expect(page.locator("#invite-code")).to_have_text(invite_code)


def test_pages_work_with_the_keyboard(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/login/")
    expect(page.locator("[name=phone_number]")).to_be_focused()
    page.keyboard.type(new_phone_number())
    page.keyboard.press("Enter")
    page.wait_for_url("**/login/code/")
    expect(page.locator("[name=code]")).to_be_focused()
    page.keyboard.type(page.locator("#dev-code").inner_text())
    page.wait_for_url("**/profile/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim()"))
    assert {"Copy the link", "Next", "Sign out", "Delete my account"} <= reached


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
    button = page.get_by_role("button", name=re.compile("Send again in 0:5"))
    expect(button).to_be_disabled()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_used_up_attempts_leave_a_clock_and_no_field(
    open_page: OpenPage, scripts: bool
) -> None:
    page = open_page(**PHONE, java_script_enabled=scripts)
    page.goto("/login/")
    code = ask_for_code(page, new_phone_number())
    for left in (4, 3, 2, 1):
        page.locator("[name=code]").fill("")
        enter_code(page, wrong(code))
        expect(page.get_by_role("alert")).to_contain_text(f"{left} attempt")
    page.locator("[name=code]").fill("")
    enter_code(page, wrong(code))
    expect(page.get_by_role("alert")).to_contain_text("this was the last attempt")
    expect(page.locator("[name=code]")).to_have_count(0)
    expect(page.locator("[data-clock]")).to_have_text(re.compile("^[34]:[0-9]{2}$"))
    if scripts:  # axe is one
        check(page)
    page.get_by_role("link", name="Check again").click()
    expect(page.get_by_role("alert")).to_contain_text("no attempts left")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("+79991234567", "+7 999 123-45-67"),
        ("89991234567", "8 (999) 123-45-67"),
        ("+7999", "+7 999"),
        ("+447400123456", "+447400123456"),
        ("9991234567", "9991234567"),
        ("tel: 12", "tel: 12"),
    ],
)
def test_a_number_is_formatted_while_it_is_typed(
    open_page: OpenPage, typed: str, shown: str
) -> None:
    page = open_page()
    page.goto("/login/")
    field = page.locator("[name=phone_number]")
    expect(field).to_be_focused()
    page.keyboard.type(typed)
    expect(field).to_have_value(shown)


def test_a_number_is_corrected_in_the_middle(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/login/")
    field = page.locator("[name=phone_number]")
    expect(field).to_be_focused()
    page.keyboard.type("+7999123456")
    for _ in range(5):
        page.keyboard.press("ArrowLeft")  # to behind the 3
    page.keyboard.type("0")
    expect(field).to_have_value("+7 999 123-04-56")
    page.keyboard.type("8")  # too long for the format: nothing is moved or lost
    assert re.sub("[^0-9]", "", field.input_value()) == "799912308456"


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


@pytest.mark.parametrize(
    "path", ["/", "/login/", "/i/{code}/", "/i/nonsense/", "/no-such-page/"]
)
def test_first_page_load_is_small(
    open_page: OpenPage, server: Server, path: str
) -> None:
    owner = server.sign_in(new_phone_number())["user"]
    assert_load_is_small(open_page(**PHONE), path.format(code=owner["invite_code"]))


def test_first_page_load_after_the_sign_in_is_small(
    open_page: OpenPage, server: Server
) -> None:
    """Each page opens in a new browser with the same cookies and an empty cache."""
    owner = server.sign_in(new_phone_number())["user"]
    page = open_page()
    page.goto("/login/")
    code = ask_for_code(page, new_phone_number())
    cookies: Any = page.context.storage_state()
    assert_load_is_small(open_page(**PHONE, storage_state=cookies), "/login/code/")
    enter_code(page, code)
    page.wait_for_url("**/profile/")
    page.goto("/profile/phone/")
    page.locator("[name=phone_number]").fill(new_phone_number())
    page.get_by_role("button", name="Send the codes").click()
    page.wait_for_url("**/profile/phone/code/")
    cookies = page.context.storage_state()
    for path in (
        *("/profile/", "/profile/edit/", "/profile/devices/", "/profile/delete/"),
        *("/profile/phone/", "/profile/phone/code/", "/profile/activate/"),
        f"/i/{owner['invite_code']}/",
    ):
        assert_load_is_small(open_page(**PHONE, storage_state=cookies), path)


def size_of(request: Any) -> int:
    sizes = request.sizes()
    size: int = sizes["responseBodySize"] + sizes["responseHeadersSize"]
    return size


def assert_load_is_small(page: Page, path: str) -> None:
    finished: list[Any] = []
    page.on("requestfinished", lambda request: finished.append(request))
    page.goto(path, wait_until="networkidle")
    assert urlsplit(page.url).path == path
    # After the load: in a handler `sizes` may still be waiting when `goto` returns.
    loaded = [(request.url, size_of(request)) for request in finished]
    total = sum(size for _, size in loaded)
    print(f"\n  {path}: {len(loaded)} requests, {total / 1024:.1f} KiB", end="")
    assert len(loaded) <= 5
    assert total <= 60 * 1024
    assert {urlsplit(url).hostname for url, _ in loaded} == {"127.0.0.1"}
