"""Take the pictures of the documentation again: `make pictures`.

On a private server with the demo people. `tests.e2e.palette` makes the files smaller.
"""

import re
import tempfile
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.conftest import CHROMIUM_ARGUMENTS, Server, chromium_path
from tests.lab import servers
from tests.lab.shared import wrong

FOLDER = servers.ROOT / "docs" / "pictures"
# Three of the demo people; the first invited most.
PHONE_NUMBERS = ["+79990000001", "+79990000002", "+79990000003"]
# The links on the pictures.
PUBLIC_URL = "https://referral.example.com"
PHONE_APP = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/142.0 Mobile"


def main() -> None:
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        env = servers.prepare(
            {**servers.zero_install(folder), "PUBLIC_URL": PUBLIC_URL}
        )
        printed = servers.manage(env, "demo")
        support = re.findall(r"support staff may do, with (\S+)", printed)[0]
        password = re.findall(r"password (\S+)", printed)[0]
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS
        )
        with servers.serve(folder, env) as web:
            server = Server(web.env["BASE_URL"])
            take_pages(browser, server)
            take_staff_pages(browser, server, support, password)
        browser.close()


def open_page(
    browser: Browser, server: Server, width: int, height: int, **options: Any
) -> Page:
    context = browser.new_context(
        base_url=server.base_url,
        viewport={"width": width, "height": height},
        locale="en",
        **options,
    )
    return context.new_page()


def take_pages(browser: Browser, server: Server) -> None:
    page = open_page(browser, server, 390, 760, device_scale_factor=1.5)
    ask_for_code(page, PHONE_NUMBERS[1])
    save(page, "code")

    page = open_page(browser, server, 1100, 1000, color_scheme="dark")
    code = ask_for_code(page, PHONE_NUMBERS[0])
    page.locator("[name=code]").press_sequentially(code)
    page.wait_for_url("**/profile/")
    save(page, "profile")

    page = open_page(browser, server, 1200, 680)
    page.goto("/redoc/")
    page.get_by_role("tab", name="curl").first.click()
    page.get_by_text("Request samples").first.evaluate("e => e.scrollIntoView()")
    page.mouse.wheel(0, -120)
    save(page, "redoc")


def ask_for_code(page: Page, phone_number: str) -> str:
    page.goto("/login/")
    page.locator("[name=phone_number]").fill(phone_number)
    page.get_by_role("button", name="Send the code").click()
    page.wait_for_url("**/login/code/")
    return page.locator("#dev-code").inner_text()


def take_staff_pages(
    browser: Browser, server: Server, support: str, password: str
) -> None:
    phone_number = PHONE_NUMBERS[2]
    sign_in_with_a_mistake(server, phone_number)
    page = open_page(browser, server, 1000, 760)
    page.goto("/admin/")
    page.locator("[name=username]").fill(support)
    page.locator("[name=password]").fill(password)
    page.locator("[type=submit]").click()
    page.locator("#toggle-nav-sidebar, #content").first.wait_for()

    page.goto("/admin/dashboard/")
    page.evaluate("localStorage.setItem('django.admin.navSidebarIsOpen', 'false')")
    page.reload()
    page.locator("figure canvas").first.wait_for()
    save(page, "dashboard")

    page.goto("/admin/referrals/referral/why/")
    page.set_viewport_size({"width": 1000, "height": 640})
    page.locator("[name=invitee]").fill("8 (999) 000-00-02")
    page.locator("[name=inviter]").fill(phone_number)
    page.locator("#content-main [type=submit]").first.click()
    page.locator(".reasons").wait_for()
    save(page, "why")

    page.goto("/admin/users/user/?q=" + phone_number.removeprefix("+"))
    page.set_viewport_size({"width": 1000, "height": 980})
    page.locator("th.field-phone_number a").click()
    page.locator("#timeline").wait_for()
    save(page, "person")


def sign_in_with_a_mistake(server: Server, phone_number: str) -> None:
    code = server.ask_for_code(phone_number)
    server.verify(phone_number, wrong(code))
    requests.post(
        server.base_url + "/api/auth/verify-code/",
        json={"phone_number": phone_number, "code": code},
        headers={"User-Agent": PHONE_APP},
        timeout=10,
    ).raise_for_status()


def save(page: Page, name: str) -> None:
    page.wait_for_timeout(1500)  # animations of charts
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
