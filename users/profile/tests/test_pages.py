import re

import pytest
from django.conf import LazySettings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from conftest import BORIS, Clock, open_session
from referrals.tests.test_list import invite_many
from referrals.tests.test_stats import invite_at
from users.models import User
from users.tests.pages import numbers, text

pytestmark = pytest.mark.django_db


def test_the_profile_shows_who_came(client: Client, alice: User) -> None:
    invite_many(alice, 120)
    open_session(client, alice)
    page = client.get("/profile/")
    assert "120 people" in text(page)
    assert len(numbers(page)) == 10
    assert "Show all" in text(page)
    assert "Older" not in text(page)
    page = client.get("/profile/?all=1")
    assert "Show all" not in text(page)
    assert len(numbers(page)) == 50
    assert "Newer" not in text(page)
    seen = numbers(page)
    older = r'href="([^"]+)#invited" rel="next"'
    while link := re.search(older, page.content.decode()):
        page = client.get(link[1].replace("&amp;", "&"))
        seen |= numbers(page)
    assert len(seen) == 120
    assert "Newer" in text(page)


def test_the_link_can_be_shared_without_scripts(
    client: Client, alice: User, settings: LazySettings
) -> None:
    open_session(client, alice)
    code = alice.invite_code
    link = f"http%3A%2F%2Ftestserver%2Fi%2F{code}%2F"
    text_of = f"Join+me+with+my+invite+code%3A+{code}"
    page = client.get("/profile/").content.decode().replace("&amp;", "&")
    assert f'"https://t.me/share/url?url={link}&text={text_of}"' in page
    assert f'"https://wa.me/?text={text_of}+{link}"' in page
    assert f'"https://vk.com/share.php?url={link}&title={text_of}"' in page
    settings.BRAND_NAME = "Bricks & Co"
    page = client.get("/profile/").content.decode()
    assert f"Join me on Bricks &amp; Co with my invite code: {code}" in page


def test_the_qr_code_can_be_downloaded(client: Client, alice: User) -> None:
    assert client.get("/profile/qr-code.png").status_code == 302
    open_session(client, alice)
    response = client.get("/profile/qr-code.png")
    assert response["Content-Type"] == "image/png"
    name = f"invite-{alice.invite_code}.png"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response.content.startswith(b"\x89PNG")


def test_days_are_those_of_the_reader(
    client: Client, alice: User, clock: Clock
) -> None:
    invite_at(alice, "2026-11-14T23:30:00Z", "2026-11-20T21:30:00Z")
    open_session(client, alice)
    page = client.get("/profile/")
    assert "20 November 2026" in text(page)
    assert "Days begin at midnight UTC." in text(page)
    assert page.context["chart"].last_7_days == 1
    client.cookies["timezone"] = "Europe/Moscow"
    page = client.get("/profile/", headers={"Accept-Language": "ru"})
    assert "21 ноября 2026" in text(page)
    assert "UTC" not in text(page)
    assert page.context["chart"].last_7_days == 2
    assert page.context["chart"].bars[-1].number == 1


def test_the_chart_has_its_dates_and_its_maximum(
    client: Client, alice: User, clock: Clock
) -> None:
    invite_at(alice, *["2026-11-20T10:00:00Z"] * 3, "2026-11-01T10:00:00Z")
    open_session(client, alice)
    page = text(client.get("/profile/"))
    assert "Most in a day: 3" in page
    assert "23 October 21 November" in page
    assert "In total 4 people In the last 7 days 3 people" in page
    assert "In the last 30 days 4 people" in page


@pytest.mark.parametrize("cursor", ["garbage", "cD1nYXJiYWdl"])
def test_a_forged_page_is_not_found(client: Client, alice: User, cursor: str) -> None:
    open_session(client, alice)
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
    open_session(client, alice)
    client.get("/")
    # Session; user; device; own activation; page with its count; days of the chart.
    with django_assert_num_queries(6):
        client.get("/profile/")


def test_counts_above_999_are_shown_as_999_plus(client: Client, alice: User) -> None:
    invite_many(alice, 1000)
    open_session(client, alice)
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
