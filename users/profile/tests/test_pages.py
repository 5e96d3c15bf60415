import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from conftest import BORIS
from referrals.tests.test_list import invite_many
from users.models import User
from users.tests.pages import numbers, text

pytestmark = pytest.mark.django_db


def test_the_profile_shows_who_came(client: Client, alice: User) -> None:
    invite_many(alice, 120)
    client.force_login(alice)
    page = client.get("/profile/")
    assert "120 people" in text(page)
    assert len(numbers(page)) == 50
    assert "Newer" not in text(page)
    seen = numbers(page)
    older = r'href="([^"]+)#invited" rel="next"'
    while link := re.search(older, page.content.decode()):
        page = client.get(link[1].replace("&amp;", "&"))
        seen |= numbers(page)
    assert len(seen) == 120
    assert "Newer" in text(page)


@pytest.mark.parametrize("cursor", ["garbage", "cD1nYXJiYWdl"])
def test_a_forged_page_is_not_found(client: Client, alice: User, cursor: str) -> None:
    client.force_login(alice)
    response = client.get("/profile/", {"cursor": cursor})
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("number", [3, 300])
def test_the_profile_takes_a_fixed_number_of_queries(
    client: Client,
    alice: User,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    invite_many(alice, number)
    client.force_login(alice)
    client.get("/")
    # Session; user; device; own activation; page with its count; days of the chart.
    with django_assert_num_queries(6):
        client.get("/profile/")


def test_counts_above_999_are_shown_as_999_plus(client: Client, alice: User) -> None:
    invite_many(alice, 1000)
    client.force_login(alice)
    assert "999+ people" in text(client.get("/profile/"))


def test_name_and_mail_can_be_changed(boris_browser: Client) -> None:
    body = {"first_name": "Борис", "last_name": "<b>", "email": "b@example.com"}
    page = boris_browser.post("/profile/edit/", body, follow=True)
    assert "Saved." in text(page)
    assert "Борис &lt;b&gt;" in page.content.decode()
    response = boris_browser.post("/profile/edit/", {**body, "email": "no mail"})
    assert response.status_code == 400
    assert 'value="Борис"' in response.content.decode()
    assert User.objects.get(phone_number=BORIS).email == "b@example.com"


def test_an_account_is_deleted_after_its_last_digits(boris_browser: Client) -> None:
    assert "+7 999 000-00-02" in text(boris_browser.get("/profile/delete/"))
    response = boris_browser.post("/profile/delete/", {"last_digits": "0001"})
    assert response.status_code == 400
    assert User.objects.exists()
    body = {"last_digits": "0002"}
    response = boris_browser.post("/profile/delete/", body, follow=True)
    assert "Your account has been deleted." in text(response)
    assert not User.objects.exists()
    assert boris_browser.get("/profile/").status_code == 302
