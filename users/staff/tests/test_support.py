"""A person's page for support staff: what it shows, what it does, and for whom."""

import re
from io import StringIO

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from config.env import Limit
from conftest import ALICE, BORIS, ask_for_code, open_session, signed_in
from limits.budgets import attempt, reserve, used
from referrals.tests.test_list import invite_many
from tests.lab.shared import wrong
from users.devices.token_authentication import issue_token
from users.models import Device, User
from users.staff import support
from users.staff.admin_site import BY_PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def helper(client: Client, boris: User) -> Client:
    """Boris, one of the support staff."""
    call_command("support_group", stdout=StringIO())
    boris.is_staff = True
    boris.save()
    boris.groups.set(boris.groups.model.objects.filter(name="Support"))
    open_session(client, boris, backend=BY_PASSWORD)
    return client


def page_of(person: User) -> str:
    return f"/admin/users/user/{person.pk}/change/"


def use_up(name: str, subject: str) -> None:
    limit = settings.LIMITS[name]
    assert limit
    for _ in range(limit.count):
        reserve(attempt(name, subject))


def test_every_limit_of_a_person_is_on_the_page(admin: Client, alice: User) -> None:
    """A new one must be shown as well, unless it is an address's or everybody's."""
    body = admin.get(page_of(alice)).content.decode()
    for name in settings.LIMITS:
        of_others = re.search(
            "address|network|country|isp|device$|strangers|^sends$|^guesses$", name
        )
        assert (f">{name}<" in body) != bool(of_others), name


def test_the_page_says_what_is_used_up(admin: Client, alice: User) -> None:
    use_up("sends_per_phone_hour", ALICE.pseudonym)
    body = admin.get(page_of(alice)).content.decode()
    assert "1 limit is used up." in body
    assert body.count('class="used-up"') == 1


def test_an_unused_limit_has_no_time_at_which_it_resets(
    admin: Client, alice: User
) -> None:
    ask_for_code(APIClient(), ALICE)
    body = admin.get(page_of(alice)).content.decode()
    for name, resets in [("sends_per_phone_day", "<td>[0-9/]+ "), ("lookups", "<td>–")]:
        row = rf"{name}.*?</th>\s*<td>\d+</td>\s*<td>\d+</td>\s*{resets}"
        assert re.search(row, body, re.DOTALL)


def test_a_limit_that_is_off_is_not_shown(
    admin: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.LIMITS, "sends_per_phone_day", None)
    body = admin.get(page_of(alice)).content.decode()
    assert "sends_per_phone_day" not in body
    assert admin.post(f"/admin/users/user/{alice.pk}/unlock/").status_code == 302


def test_the_page_tells_of_a_code_but_never_the_code(
    admin: Client, alice: User
) -> None:
    assert "There is no valid code." in admin.get(page_of(alice)).content.decode()
    code = ask_for_code(APIClient(), ALICE, invite_code=alice.invite_code)
    body = admin.get(page_of(alice)).content.decode()
    assert "A code of 4 digits is valid until" in body
    assert "A new device can ask for one in" in body
    assert f">{code}<" not in body
    assert f" {code} " not in body


def test_the_page_asks_redis_seven_times(
    admin: Client, alice: User, round_trips: list[bytes]
) -> None:
    ask_for_code(APIClient(), ALICE)
    for name in (*support.OF_NUMBER, *support.GUESSING):
        reserve(attempt(name, ALICE.pseudonym))
    round_trips.clear()
    assert admin.get(page_of(alice)).status_code == 200
    # The code; its guesses; all limits; two waits; two lists of the history.
    assert len(round_trips) == 7


def test_unlock_lets_a_number_ask_again(admin: Client, alice: User) -> None:
    ask_for_code(APIClient(), ALICE)
    for name in support.OF_NUMBER:
        use_up(name, ALICE.pseudonym) if not used(name, ALICE.pseudonym) else None
    response = admin.post(f"/admin/users/user/{alice.pk}/unlock/")
    assert response["Location"] == page_of(alice)
    for name in support.OF_NUMBER:
        assert used(name, ALICE.pseudonym) == 0
    ask_for_code(APIClient(), ALICE)


def test_unlock_lets_a_person_try_invite_codes_again(
    admin: Client, alice: User, boris: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = Limit(1, 3600)
    monkeypatch.setitem(settings.LIMITS, "activation_failures_per_user", limit)
    owner = signed_in(alice)
    right = {"invite_code": boris.invite_code}
    assert owner.post("/api/profile/", {"invite_code": "000000"}).status_code == 400
    assert owner.post("/api/profile/", right).status_code == 429
    admin.post(f"/admin/users/user/{alice.pk}/unlock/")
    assert owner.post("/api/profile/", right).status_code == 200


def test_unlock_leaves_the_guesses_of_the_month(admin: Client, alice: User) -> None:
    for name in support.GUESSING:
        reserve(attempt(name, ALICE.pseudonym))
    admin.post(f"/admin/users/user/{alice.pk}/unlock/")
    assert {used(name, ALICE.pseudonym) for name in support.GUESSING} == {1}


def test_a_superuser_forgets_wrong_guesses(admin: Client, alice: User) -> None:
    digits = ask_for_code(APIClient(), ALICE)
    for _ in range(3):
        body = {"phone_number": ALICE, "code": wrong(digits)}
        APIClient().post("/api/auth/verify-code/", body)
    assert used("guesses_per_phone_month", ALICE.pseudonym) == 3
    admin.post(f"/admin/users/user/{alice.pk}/reset-guesses/")
    assert used("guesses_per_phone_month", ALICE.pseudonym) == 0


def test_support_actions_are_recorded_with_their_author(
    helper: Client, alice: User, boris: User, records: list[dict[str, object]]
) -> None:
    helper.post(f"/admin/users/user/{alice.pk}/unlock/")
    entry = LogEntry.objects.get()
    assert (entry.user_id, entry.object_id) == (boris.pk, str(alice.pk))
    assert entry.change_message == "The limits have been cleared."
    assert records[-1] == {
        "event": "limits.cleared",
        "user": alice.pk,
        "phone": "+7999•••••01",
        "by": boris.pk,
    }


def test_a_device_is_signed_out(helper: Client, alice: User) -> None:
    phone = signed_in(alice)
    other = signed_in(alice)
    first = Device.objects.filter(user=alice).earliest("pk")
    url = f"/admin/users/user/{alice.pk}/sign-out/"
    assert helper.post(url, {"device": first.pk}).status_code == 302
    assert phone.get("/api/profile/").status_code == 401
    assert other.get("/api/profile/").status_code == 200


def test_all_devices_are_signed_out(helper: Client, alice: User, clara: User) -> None:
    phones = [signed_in(alice), signed_in(alice)]
    bystander = signed_in(clara)
    helper.post(f"/admin/users/user/{alice.pk}/sign-out-everywhere/")
    for phone in phones:
        assert phone.get("/api/profile/").status_code == 401
    assert bystander.get("/api/profile/").status_code == 200


@pytest.mark.parametrize("device", ["", "x", "0", "9" * 30])
def test_a_device_of_nobody_is_not_found(
    helper: Client, alice: User, device: str
) -> None:
    url = f"/admin/users/user/{alice.pk}/sign-out/"
    assert helper.post(url, {"device": device}).status_code == 404


def test_a_device_of_another_person_stays(
    helper: Client, alice: User, clara: User
) -> None:
    token, _ = issue_token(user=clara, user_agent="Phone")
    url = f"/admin/users/user/{alice.pk}/sign-out/"
    assert helper.post(url, {"device": token.pk}).status_code == 404
    assert Device.objects.filter(pk=token.pk).exists()


ACTS = ["unlock", "reset-guesses", "sign-out", "sign-out-everywhere"]


@pytest.mark.parametrize("act", ACTS)
def test_without_the_right_nothing_is_done(
    client: Client, alice: User, boris: User, act: str
) -> None:
    boris.is_staff = True
    boris.save()
    boris.user_permissions.set(Permission.objects.filter(codename="view_user"))
    open_session(client, boris, backend=BY_PASSWORD)
    assert client.get(page_of(alice)).status_code == 200
    use_up("sends_per_phone_hour", ALICE.pseudonym)
    token, _ = issue_token(user=alice, user_agent="Phone")
    url = f"/admin/users/user/{alice.pk}/{act}/"
    assert client.post(url, {"device": token.pk}).status_code == 403
    assert used("sends_per_phone_hour", ALICE.pseudonym)
    assert Device.objects.filter(pk=token.pk).exists()


@pytest.mark.parametrize("act", ACTS)
def test_a_forged_form_does_nothing(staff: User, alice: User, act: str) -> None:
    client = Client(enforce_csrf_checks=True)
    open_session(client, staff, backend=BY_PASSWORD)
    url = f"/admin/users/user/{alice.pk}/{act}/"
    assert client.post(url).status_code == 403
    assert client.get(url).status_code == 405


def test_support_sees_the_page_and_changes_nobody(
    helper: Client, alice: User, boris: User
) -> None:
    issue_token(user=alice, user_agent="Phone")
    body = helper.get(page_of(alice)).content.decode()
    for words in ("Unlock", "Sign out everywhere", "Correct the inviter"):
        assert words in body
    assert "Forget wrong guesses" not in body
    digest = Device.objects.get(user=alice).digest
    assert digest not in body
    for person in (alice, boris):
        data = {"phone_number": person.phone_number, "is_superuser": "on"}
        assert helper.post(page_of(person), data).status_code == 403
        assert not User.objects.get(pk=person.pk).is_superuser
        password = f"/admin/users/user/{person.pk}/password/"
        assert helper.get(password).status_code == 403
    assert helper.get("/admin/auth/group/").status_code == 403
    reset = f"/admin/users/user/{alice.pk}/reset-guesses/"
    assert helper.post(reset).status_code == 403
    for export in ("users/user", "referrals/referral"):
        assert helper.post(f"/admin/{export}/export/").status_code == 403


def test_in_russian_staff_end_sessions_of_others(admin: Client, alice: User) -> None:
    """The same English words on one's own pages mean leaving oneself: «Выйти»."""
    issue_token(user=alice, user_agent="Phone")
    body = admin.get(page_of(alice), headers={"Accept-Language": "ru"}).content.decode()
    assert ">Завершить сеанс</button>" in body
    assert ">Завершить все сеансы</button>" in body


@pytest.mark.parametrize("act", ACTS)
def test_support_does_not_touch_staff(helper: Client, staff: User, act: str) -> None:
    response = helper.post(f"/admin/users/user/{staff.pk}/{act}/")
    assert response.status_code == 403


def test_the_page_shows_who_invited_and_whom(
    admin: Client, alice: User, boris: User, clara: User
) -> None:
    for inviter, invitee in ((alice, boris), (boris, clara)):
        signed_in(invitee).post("/api/profile/", {"invite_code": inviter.invite_code})
    body = admin.get(page_of(clara)).content.decode()
    assert body.index("Invited by") < body.index(BORIS) < body.index("who was invited")
    assert ALICE in body
    body = admin.get(page_of(alice)).content.decode()
    assert "Invited by nobody." in body
    assert BORIS in body


def test_twenty_of_many_and_a_link_to_the_rest(admin: Client, alice: User) -> None:
    invite_many(alice, 60)
    body = admin.get(page_of(alice)).content.decode()
    assert body.count("+7999100") == 20
    link = f"/admin/referrals/referral/?inviter__id__exact={alice.pk}"
    assert link in body
    assert admin.get(link).content.decode().count("+7999100") == 50


def test_a_gone_inviter_is_said_to_be_gone(
    admin: Client, alice: User, boris: User
) -> None:
    signed_in(boris).post("/api/profile/", {"invite_code": alice.invite_code})
    code = alice.invite_code
    alice.delete()
    body = admin.get(page_of(boris)).content.decode()
    assert "a deleted account" in body
    found = admin.get("/admin/referrals/referral/", {"q": code.lower()})
    assert BORIS in found.content.decode()


def test_pages_end_where_nobody_leafs(
    admin: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.admin.large_tables.MOST_ROWS", 60)
    invite_many(alice, 90)
    body = admin.get("/admin/users/user/").content.decode()
    assert "There are more than these pages" in body
    assert "?p=2" in body
    assert "?p=3" not in body
    assert 'class="question"' not in body  # "Select all people"


def test_russian_lists_show_title_and_total(admin: Client, alice: User) -> None:
    """A number and a name in one sentence need the right case in Russian."""
    for search, number in [("", 2), (ALICE, 1), (BORIS, 0)]:
        russian = {"q": search}, {"Accept-Language": "ru"}
        body = admin.get(
            "/admin/users/user/", russian[0], headers=russian[1]
        ).content.decode()
        assert "<h1>Пользователи</h1>" in body
        assert f"Всего: {number}" in body


def test_a_referral_links_to_both_people(
    admin: Client, alice: User, boris: User
) -> None:
    signed_in(boris).post("/api/profile/", {"invite_code": alice.invite_code})
    page = f"/admin/referrals/referral/{boris.pk}/change/"
    body = admin.get(page).content.decode()
    assert f'href="{page_of(alice)}"' in body
    assert f'href="{page_of(boris)}"' in body
    alice.delete()
    assert "Page of the inviter" not in admin.get(page).content.decode()
