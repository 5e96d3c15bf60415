import re

import pytest
from django.test import Client

from conftest import open_session
from referrals.models import Referral
from referrals.tests.test_list import invite_many
from users.models import User
from users.tests.pages import text

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/logout/", "/logout/everywhere/"])
def test_every_change_is_a_post(boris_browser: Client, path: str) -> None:
    assert boris_browser.get(path)["Location"] == "/"
    assert boris_browser.get("/profile/").status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/login/", "/i/000000/", "/profile/", "/profile/edit/"]
)
def test_head_is_answered_as_get(boris_browser: Client, path: str) -> None:
    head, get = boris_browser.head(path), boris_browser.get(path)
    assert (head.status_code, head.content) == (get.status_code, b"")


def test_signed_in_pages_stay_in_no_cache(boris_browser: Client) -> None:
    for path in ("/", "/profile/", "/profile/edit/", "/profile/delete/"):
        assert "no-store" in boris_browser.get(path)["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    ["/login/", "/logout/", "/profile/edit/", "/profile/delete/", "/profile/activate/"],
)
def test_forms_of_other_sites_are_refused(alice: User, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    open_session(client, alice)
    response = client.post(path, {})
    assert response.status_code == 403
    assert "This page is out of date" in text(response)


def test_the_language_is_chosen_or_that_of_the_browser(client: Client) -> None:
    russian = {"Accept-Language": "ru"}
    assert "Войти" in text(client.get("/", headers=russian))
    assert "Sign in" in text(client.get("/"))
    response = client.post("/language/setlang/", {"language": "ru", "next": "/login/"})
    assert response["Location"] == "/login/"
    assert '<html lang="ru">' in client.get("/").content.decode()
    evil = {"language": "en", "next": "https://evil.example/"}
    assert client.post("/language/setlang/", evil)["Location"] == "/"


def test_headers_protect_every_page(client: Client) -> None:
    for path in ("/", "/login/", "/nothing/", "/admin/login/"):
        response = client.get(path)
        policy = response["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert response["X-Frame-Options"] == "DENY"
        assert response["Referrer-Policy"] == "same-origin"
        assert response["X-Content-Type-Options"] == "nosniff"


def test_pages_have_nothing_inline(boris_browser: Client) -> None:
    for path in ("/", "/profile/", "/profile/edit/", "/profile/delete/", "/nothing/"):
        body = boris_browser.get(path).content.decode()
        assert not re.search(r"<style|<script(?! src)|\son\w+=|\sstyle=", body), path


def test_numbers_are_plural_in_russian(client: Client, alice: User) -> None:
    open_session(client, alice)
    for number, words in [(1, "1 человек"), (2, "2 человека"), (5, "5 человек")]:
        Referral.objects.all().delete()
        User.objects.filter(phone_number__startswith="+7999100").delete()
        invite_many(alice, number)
        page = client.get("/profile/", headers={"Accept-Language": "ru"})
        assert f" {words} " in text(page)
