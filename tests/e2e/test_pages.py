"""Pages in a real browser: on phone and desktop, with and without JavaScript."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.test import RequestFactory
from django.utils import translation
from playwright.sync_api import Page, Route, expect

from config.api import error_pages
from config.api.error_pages import PageErrorMiddleware
from config.monitoring.logs import request_id
from config.refusals import LimitReached
from tests.e2e.conftest import OpenPage, Server
from tests.lab.shared import new_phone_number, wrong

PHONE: dict[str, Any] = {"viewport": {"width": 320, "height": 640}, "has_touch": True}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}

WORDS = {
    "en": {
        "send": "Send the code",
        "sign_in": "Sign in",
        "accept": "Accept and sign in",
        "shown": "see your full phone number",
        "counted": "You have accepted the invitation",
        "one": "1 person",
        "wrong": "4 attempts left",
        "sign_out": "Sign out",
    },
    "ru": {
        "send": "Отправить код",
        "sign_in": "Войти",
        "accept": "Принять и войти",
        "shown": "увидит ваш номер телефона полностью",
        "counted": "Вы приняли приглашение",
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


def sign_in(page: Page, phone_number: str, language: str = "en") -> None:
    page.goto("/login/")
    enter_code(page, ask_for_code(page, phone_number, language), language)
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
    page.keyboard.type(typed)
    field = page.locator("[name=phone_number]")
    expect(field).to_have_value(shown)


def test_a_number_is_corrected_in_the_middle(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/login/")
    page.keyboard.type("+7999123456")
    for _ in range(5):
        page.keyboard.press("ArrowLeft")  # to behind the 3
    page.keyboard.type("0")
    expect(page.locator("[name=phone_number]")).to_have_value("+7 999 123-04-56")
    page.keyboard.type("8")  # too long for the format: nothing is moved or lost
    digits = page.locator("[name=phone_number]").input_value()
    assert re.sub("[^0-9]", "", digits) == "799912308456"


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


ON_ALL_SCREENS = pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [
        pytest.param(language, size, scheme, id=f"{language}-{width}-{scheme}")
        for language in ("en", "ru")
        for width, size in (("320", PHONE), ("1280", DESK))
        for scheme in ("light", "dark")
    ],
)
ON_TWO_SCREENS = pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [("ru", DESK, "light"), ("en", PHONE, "dark")],
    ids=["light", "dark"],
)


@ON_ALL_SCREENS
def test_pages_of_the_sign_in_are_accessible_and_fit_the_screen(
    open_page: OpenPage,
    server: Server,
    language: str,
    size: dict[str, Any],
    scheme: str,
) -> None:
    invite_code = server.sign_in(new_phone_number())["user"]["invite_code"]
    page = open_page(**size, locale=language, color_scheme=scheme)
    check_all(
        page,
        "/",
        f"/i/{invite_code}/",
        "/i/nonsense/",
        f"/login/?invite={invite_code}",
    )
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


@ON_ALL_SCREENS
def test_pages_of_a_person_are_accessible_and_fit_the_screen(
    open_page: OpenPage,
    server: Server,
    language: str,
    size: dict[str, Any],
    scheme: str,
) -> None:
    page = open_page(**size, locale=language, color_scheme=scheme)
    sign_in(page, new_phone_number(), language)
    own = page.locator("#invite-code").inner_text()
    phones = [new_phone_number() for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda phone: sign_up_with_code(server, own, phone), phones))
    other = server.sign_in(new_phone_number())["user"]["invite_code"]
    check_all(
        page,
        "/profile/",
        "/profile/activate/",
        "/profile/edit/",
        "/profile/phone/",
        "/profile/delete/",
        "/profile/devices/",
        f"/i/{own}/",
        f"/i/{other}/",
        f"/profile/activate/?invite_code={other}",
    )


@ON_ALL_SCREENS
def test_pages_of_a_change_of_number_are_accessible_and_fit_the_screen(
    open_page: OpenPage, language: str, size: dict[str, Any], scheme: str
) -> None:
    page = open_page(**size, locale=language, color_scheme=scheme)
    sign_in(page, new_phone_number(), language)
    _old_code, new_code = ask_for_codes_of_change(page)
    check(page)
    page.locator("[name=old_code]").fill("0")
    page.locator("[name=new_code]").fill(new_code)
    page.locator("main form button").first.click()
    expect(page.get_by_role("alert")).to_be_visible()
    check(page)


def ask_for_codes_of_change(page: Page) -> tuple[str, str]:
    """The codes to the old and the new number, which DEBUG shows on the next page."""
    page.goto("/profile/phone/")
    page.locator("[name=phone_number]").fill(new_phone_number())
    page.locator("main form button").click()
    page.wait_for_url("**/profile/phone/code/")
    old_code = page.locator("#dev-old-code").inner_text()
    return old_code, page.locator("#dev-new-code").inner_text()


def sign_up_with_code(server: Server, invite_code: str, phone_number: str) -> None:
    code = server.ask_for_code(phone_number)
    server.verify(phone_number, code, invite_code=invite_code)


@ON_TWO_SCREENS
def test_login_page_without_guesses_is_accessible_and_fits_the_screen(
    open_page: OpenPage, language: str, size: dict[str, Any], scheme: str
) -> None:
    page = open_page(**size, locale=language, color_scheme=scheme)
    page.goto("/login/")
    code = ask_for_code(page, new_phone_number(), language)
    for _ in range(5):
        page.locator("[name=code]").fill("")
        enter_code(page, wrong(code), language)
        expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("[data-clock]")).to_be_visible()
    check(page)


@ON_TWO_SCREENS
def test_forms_with_errors_are_accessible_and_fit_the_screen(
    open_page: OpenPage, language: str, size: dict[str, Any], scheme: str
) -> None:
    page = open_page(**size, locale=language, color_scheme=scheme)
    sign_in(page, new_phone_number(), language)
    for path, name, text in [
        ("/profile/activate/", "invite_code", "000000"),
        ("/profile/edit/", "email", "a@b"),
        ("/profile/delete/", "last_digits", "none"),
        ("/profile/phone/", "phone_number", "12"),
    ]:
        page.goto(path)
        page.locator(f"[name={name}]").fill(text)
        page.locator("main form .button").last.click()
        expect(page.get_by_role("alert")).to_be_visible()
        check(page)


@ON_TWO_SCREENS
def test_change_of_number_without_guesses_is_accessible_and_fits_the_screen(
    open_page: OpenPage, language: str, size: dict[str, Any], scheme: str
) -> None:
    page = open_page(**size, locale=language, color_scheme=scheme)
    sign_in(page, new_phone_number(), language)
    old_code, new_code = ask_for_codes_of_change(page)
    for _ in range(5):
        page.locator("[name=old_code]").fill(wrong(old_code))
        page.locator("[name=new_code]").fill(new_code)
        page.locator("main form .button").last.click()
        expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("[data-clock]")).to_be_visible()
    check(page)


LONGEST_REQUEST_ID = "a" * 64
ERROR_PAGES: dict[str, Callable[[HttpRequest], HttpResponse | None]] = {
    "400": lambda request: error_pages.bad_request(request, BadRequest()),
    "403": lambda request: error_pages.permission_denied(request, PermissionDenied()),
    "403, an old form": error_pages.csrf_failure,
    "404": lambda request: error_pages.page_not_found(request, Http404()),
    "405": PageErrorMiddleware(lambda request: HttpResponseNotAllowed(["GET"])),
    "429": lambda request: PageErrorMiddleware(
        lambda request: HttpResponse()
    ).process_exception(request, LimitReached(limit="sends", wait=75)),
    "500": error_pages.server_error,
    "503": error_pages.service_unavailable,
}


@pytest.mark.parametrize("name", ERROR_PAGES)
def test_error_pages_are_accessible_and_fit_the_screen(
    open_page: OpenPage, name: str
) -> None:
    """Rendered in the test process: the running server has no errors to show."""
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    for language, size, scheme in [("en", DESK, "light"), ("ru", PHONE, "dark")]:
        token = request_id.set(LONGEST_REQUEST_ID)
        with translation.override(language):
            answer = ERROR_PAGES[name](request)
        request_id.reset(token)
        assert answer
        page = open_page(**size, locale=language, color_scheme=scheme)
        page.route("**/error/", fulfil_with(answer))
        page.goto("/error/")
        expect(page.locator(".status")).to_have_text(name[:3])
        check(page)


def fulfil_with(answer: HttpResponse) -> Callable[[Route], None]:
    return lambda route: route.fulfill(body=answer.content, content_type="text/html")


def check_all(page: Page, *paths: str) -> None:
    for path in paths:
        page.goto(path)
        check(page)


def check(page: Page, **options: Any) -> None:
    found = Axe().run(page, options=options or None)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    overflow = "document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(overflow) <= 0, f"{page.url} is wider than the screen"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/redoc/", "h2:has-text('Send a sign-in code')"),
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
    # ReDoc gives its headings levels by their size.
    check(page, preload=False, rules={"heading-order": {"enabled": False}})


def test_redoc_shows_samples(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/redoc/")
    page.get_by_role("tab", name="Python").first.click(timeout=15_000)
    expect(page.get_by_text("import requests").first).to_be_visible()


def test_swagger_asks_for_the_token_first(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/swagger/")
    page.get_by_role("button", name="Authorize").first.click(timeout=15_000)
    field = page.locator(".dialog-ux input").first
    expect(field).to_be_focused()
    expect(field).to_be_in_viewport()
    expect(page.locator(".dialog-ux h4").first).to_contain_text("token")


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
