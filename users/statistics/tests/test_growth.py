"""How invite codes come, and how many of those who open a link activate it."""

import csv
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, Clock, ask_for_code, signed_in, signed_in_as_staff
from referrals.models import Referral
from referrals.statistics.bursts import BURST
from referrals.tests.test_list import invite_many
from users.channels.exceptions import SmsUnavailable
from users.channels.memory import Message
from users.models import User
from users.statistics.dashboard import dashboard
from users.tests.pages import sign_in

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
DAY = 24 * 3600


def open_link(inviter: User, query: str = "", **headers: str) -> Any:
    browser = Client(headers={"user-agent": FIREFOX} | headers)
    return browser.get(f"/i/{inviter.invite_code}/{query}")


def opens() -> int:
    return dashboard().total.link_opens


def test_an_opened_link_counts_and_stores_nothing_else(
    clock: Clock, alice: User
) -> None:
    response = open_link(alice)
    assert response.status_code == 200
    assert opens() == 1
    assert "sessionid" not in response.cookies


@pytest.mark.parametrize(
    "user_agent",
    [
        "",
        "TelegramBot (like TwitterBot)",
        "WhatsApp/2.23.20.0",
        "facebookexternalhit/1.1",
        "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Slackbot-LinkExpanding 1.0",
        "curl/8.5.0",
        "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0",
    ],
)
def test_a_preview_does_not_count(clock: Clock, alice: User, user_agent: str) -> None:
    assert open_link(alice, **{"user-agent": user_agent}).status_code == 200
    assert opens() == 0


@pytest.mark.parametrize("header", ["sec-purpose", "purpose"])
def test_a_prefetched_page_does_not_count(
    clock: Clock, alice: User, header: str
) -> None:
    open_link(alice, **{header: "prefetch;prerender"})
    assert opens() == 0


def test_a_head_request_and_an_unknown_code_do_not_count(
    clock: Clock, alice: User
) -> None:
    browser = Client(headers={"user-agent": FIREFOX})
    browser.head(f"/i/{alice.invite_code}/")
    assert browser.get("/i/ZZZZZZZZ/").status_code == 404
    assert opens() == 0


def test_a_phone_of_cubot_is_a_person(clock: Clock, alice: User) -> None:
    open_link(alice, **{"user-agent": "Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20)"})
    assert opens() == 1


def test_a_code_typed_on_the_front_page_is_no_link(clock: Clock, alice: User) -> None:
    browser = Client(headers={"user-agent": FIREFOX})
    form = {"invite_code": alice.invite_code}
    page = browser.get("/i/", form, follow=True).content.decode()
    assert 'name="came_by" value="typed"' in page
    assert opens() == 0


def came_by() -> str | None:
    return Referral.objects.get().came_by


@pytest.mark.parametrize(("query", "way"), [("", "link"), ("?by=qr", "qr")])
def test_a_new_person_comes_by_a_link_or_a_qr_code(
    client: Client, alice: User, outbox: list[Message], query: str, way: str
) -> None:
    page = client.get(f"/i/{alice.invite_code}/{query}").content.decode()
    assert f'name="came_by" value="{way}"' in page
    form = {"invite_code": alice.invite_code, "came_by": way}
    client.post("/login/invite/", form)
    sign_in(client, BORIS, outbox)
    assert came_by() == way


def test_a_code_that_was_typed_before_the_sign_in(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    client.post("/login/invite/", {"invite_code": alice.invite_code})
    sign_in(client, BORIS, outbox)
    assert came_by() == "typed"


@pytest.mark.parametrize(
    ("form", "way"),
    [({}, "typed"), ({"came_by": "qr"}, "qr"), ({"came_by": "x"}, "typed")],
)
def test_a_person_with_an_account_activates_a_code(
    client: Client,
    alice: User,
    boris: User,
    outbox: list[Message],
    form: dict[str, str],
    way: str,
) -> None:
    sign_in(client, BORIS, outbox)
    form = {"invite_code": alice.invite_code, **form}
    page = client.get("/profile/activate/", form).content.decode()
    assert f'name="came_by" value="{way}"' in page
    client.post("/profile/activate/", form)
    assert came_by() == way


def test_a_person_with_an_account_comes_by_a_link(
    client: Client, alice: User, boris: User, outbox: list[Message]
) -> None:
    form = {"invite_code": alice.invite_code, "came_by": "link"}
    client.post("/login/invite/", form)
    page = sign_in(client, BORIS, outbox)
    assert 'name="came_by" value="link"' in page.content.decode()


@pytest.mark.parametrize("is_new", [True, False])
def test_an_app_activates_by_the_api(alice: User, is_new: bool) -> None:
    invite = {"invite_code": alice.invite_code}
    if is_new:
        code = ask_for_code(APIClient(), BORIS, **invite)
        body = {"phone_number": BORIS, "code": code}
        APIClient().post("/api/auth/verify-code/", body)
    else:
        boris = User.objects.create_user(BORIS)
        signed_in(boris).post("/api/profile/", invite)
    assert came_by() == "api"


@pytest.mark.django_db(transaction=True)
def test_the_staff_api_tells_the_funnel_day_by_day(
    clock: Clock, alice: User, staff: User
) -> None:
    open_link(alice)
    open_link(alice)
    code = ask_for_code(APIClient(), BORIS, invite_code=alice.invite_code)
    body = {"phone_number": BORIS, "code": code}
    APIClient().post("/api/auth/verify-code/", body)
    stats = signed_in_as_staff(staff).get("/api/stats/").json()
    assert len(stats["funnel_per_day"]) == 30
    assert stats["funnel_per_day"][-1] == {
        "date": "2026-11-21",
        "link_opens": 2,
        "codes_sent": 1,
        "sign_ins": 1,
        "activations": 1,
    }
    assert {row["came_by"]: row["count"] for row in stats["activations_by_way"]} == {
        "link": 0,
        "qr": 0,
        "typed": 0,
        "api": 1,
        None: 0,
    }


def test_failed_messages_are_counted(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(*_: Any) -> None:
        raise SmsUnavailable

    ask_for_code(APIClient(), ALICE)
    monkeypatch.setattr("users.channels.memory.MemoryBackend.send", send)
    APIClient().post("/api/auth/request-code/", {"phone_number": BORIS})
    total = dashboard().total
    assert (total.codes_sent, total.sms_failures) == (1, 1)
    assert total.failure_share == 0.5


def test_whole_days_are_compared_with_those_before(clock: Clock, alice: User) -> None:
    invite_many(alice, 6)
    days_ago = [0, 1, 7, 8, 14, 15]  # today and the 15th day do not count
    for referral, days in zip(Referral.objects.order_by("pk"), days_ago, strict=True):
        moment = timezone.now() - timedelta(days=days)
        Referral.objects.filter(pk=referral.pk).update(created_at=moment)
    change = dashboard(7).changes["activations"]
    assert (change.now, change.before, change.percent) == (2, 2, 0)


@pytest.mark.parametrize(
    ("query", "days"),
    [("", 30), ("?days=7", 7), ("?days=90", 90), ("?days=5000", 30), ("?days=x", 30)],
)
def test_a_period_is_chosen(admin: Client, query: str, days: int) -> None:
    body = admin.get(f"/admin/dashboard/{query}").content.decode()
    assert f'?days={days}" aria-current="page"' in body
    assert body.count("so far</span>") == 1
    answer = admin.get(f"/admin/dashboard/days.csv{query}")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.reader(lines.splitlines()))
    assert rows[0][:3] == ["day", "new_people", "link_opens"]
    assert len(rows) == days + 1


@pytest.mark.parametrize(("number", "is_shown"), [(BURST - 1, False), (BURST, True)])
def test_many_activations_within_an_hour_are_shown_to_staff(
    clock: Clock, admin: Client, alice: User, number: int, is_shown: bool
) -> None:
    invite_many(alice, number)
    Referral.objects.update(created_at=timezone.now())
    body = admin.get("/admin/dashboard/").content.decode()
    assert ("Many activations within an hour" in body) == is_shown
