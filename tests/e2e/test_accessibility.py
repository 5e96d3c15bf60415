"""Pages are accessible and fit the screen: on phone and desktop, light and dark."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
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
    sign_up_with_code,
)
from tests.lab.shared import new_phone_number, wrong

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
