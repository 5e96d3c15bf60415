"""The devices of an account on a page, each with a button that signs it out."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from conftest import ALICE, Clock, signed_in
from users.channels.memory import Message
from users.devices.tests.test_devices import IPHONE, URL, WINDOWS, other_device
from users.models import Device, User
from users.tests.pages import sign_in, text

pytestmark = pytest.mark.django_db

PAGE = "/profile/devices/"


@pytest.fixture
def browser(client: Client, outbox: list[Message]) -> Client:
    client.defaults["HTTP_USER_AGENT"] = WINDOWS
    assert sign_in(client, ALICE, outbox).status_code == 200
    return client


@pytest.fixture
def owner(browser: Client) -> User:
    return User.objects.get(phone_number=ALICE)


def test_the_page_shows_the_devices(
    browser: Client, owner: User, boris: User, clock: Clock
) -> None:
    other_device(owner, "<script>alert(1)</script>")
    other_device(owner, "")
    other_device(boris, IPHONE)
    assert PAGE in browser.get("/profile/").content.decode()
    page = browser.get(PAGE)
    shown = text(page)
    assert "Firefox, Windows This device" in shown
    assert shown.count("This device") == 1
    assert "Unknown device" in shown
    assert "iOS" not in shown
    assert b"<script>alert" not in page.content


def test_the_page_costs_the_same_however_long(
    browser: Client, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in (1, 60):
        for _ in range(number):
            other_device(owner)
        with django_assert_num_queries(4):  # session; user; device; page
            page = browser.get(PAGE)
    assert page.content.count(b"Mobile Safari, iOS") >= 49
    assert "Older" in text(page)


def test_the_page_signs_one_device_out(browser: Client, owner: User) -> None:
    phone = signed_in(owner)
    device = Device.objects.latest("pk")
    page = browser.post(f"{PAGE}{device.pk}/sign-out/", follow=True)
    assert page.redirect_chain == [(PAGE, 302)]
    assert "The device has been signed out." in text(page)
    assert phone.get(URL).status_code == 401
    again = browser.post(f"{PAGE}{device.pk}/sign-out/", follow=True)
    assert again.redirect_chain == [(PAGE, 302)]
    assert "The device has been signed out." not in text(again)


def test_the_page_signs_this_device_out(browser: Client) -> None:
    device_id = browser.session["device_id"]
    page = browser.post(f"{PAGE}{device_id}/sign-out/", follow=True)
    assert page.redirect_chain == [("/", 302)]
    assert not Device.objects.exists()
    assert browser.get(PAGE).status_code == 302


def test_the_page_ends_no_device_of_somebody_else(browser: Client, boris: User) -> None:
    device = other_device(boris)
    page = browser.post(f"{PAGE}{device.pk}/sign-out/", follow=True)
    assert page.redirect_chain == [(PAGE, 302)]
    assert Device.objects.filter(pk=device.pk).exists()


def test_a_device_is_signed_out_by_a_post_only(browser: Client) -> None:
    device_id = browser.session["device_id"]
    assert browser.get(f"{PAGE}{device_id}/sign-out/")["Location"] == PAGE
    assert browser.get(PAGE).status_code == 200


def test_a_form_of_another_site_signs_nothing_out(browser: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    device_id = browser.session["device_id"]
    assert strict.post(f"{PAGE}{device_id}/sign-out/").status_code == 403
    assert browser.get(PAGE).status_code == 200
