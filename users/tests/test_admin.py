"""Support staff's pages, users' and referrals'."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from conftest import ALICE, BORIS, STAFF
from referrals.models import Referral
from referrals.tests.test_list import invite_many
from users.authentication import issue_token
from users.models import Token, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client, staff: User) -> Client:
    client.force_login(staff)
    client.get("/admin/")  # from here on the browser is a known device
    return client


def invite(inviter: User, invitee: User) -> None:
    Referral.objects.create(
        inviter=inviter, invitee=invitee, code_used=inviter.invite_code
    )


@pytest.mark.parametrize("spelling", [STAFF, "8 (999) 000-00-09"])
def test_staff_sign_in_with_any_spelling(
    client: Client, staff: User, spelling: str
) -> None:
    body = {"username": spelling, "password": "a long password"}
    response = client.post("/admin/login/?next=/admin/", body)
    assert response.status_code == 302
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("username", ["12", ALICE, "", "\x00"])
def test_others_do_not_sign_in(client: Client, alice: User, username: str) -> None:
    body = {"username": username, "password": "a long password"}
    response = client.post("/admin/login/?next=/admin/", body)
    assert response.status_code == 200
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "page",
    [
        "",
        "users/user/",
        "users/user/?is_active__exact=1&o=-4",
        "users/user/add/",
        "users/user/{pk}/change/",
        "users/user/{pk}/password/",
        "users/user/{pk}/delete/",
        "referrals/referral/",
        "referrals/referral/{pk}/change/",
        "auth/group/",
    ],
)
def test_every_page_opens(admin: Client, alice: User, boris: User, page: str) -> None:
    invite(alice, boris)
    issue_token(user=boris, device="<script>alert(1)</script>")
    response = admin.get(f"/admin/{page.format(pk=boris.pk)}")
    assert response.status_code == 200
    assert b"<script>alert" not in response.content


SPELLINGS = ["8 (999) 000-00-02", BORIS, "{code}", " {lower} "]


@pytest.mark.parametrize(
    ("page", "term"),
    [
        *(("users/user/", term) for term in [*SPELLINGS, "000-00-02"]),
        *(("referrals/referral/", term) for term in SPELLINGS),
    ],
)
def test_people_are_found_by_number_and_code(
    admin: Client, alice: User, boris: User, clara: User, page: str, term: str
) -> None:
    invite(boris, clara)
    code = boris.invite_code
    term = term.format(code=code, lower=code.lower())
    body = admin.get(f"/admin/{page}", {"q": term}).content.decode()
    assert BORIS in body
    assert ALICE not in body


@pytest.mark.parametrize("term", ["nothing", "--", "+7999", "'", "\x00"])
@pytest.mark.parametrize("page", ["users/user/", "referrals/referral/"])
def test_a_search_for_something_else_finds_nobody_or_some(
    admin: Client, alice: User, page: str, term: str
) -> None:
    assert admin.get(f"/admin/{page}", {"q": term}).status_code == 200


@pytest.mark.parametrize("number", [3, 90])
def test_the_list_of_people_takes_a_fixed_number_of_queries(
    admin: Client,
    alice: User,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    invite_many(alice, number)
    # Session; staff user; device; count of the page's query; people with activation
    # and count.
    with django_assert_num_queries(5):
        body = admin.get("/admin/users/user/").content.decode()
    assert f'<td class="field-invited_count">{number}</td>' in body


@pytest.mark.parametrize("number", [3, 90])
def test_a_change_page_takes_a_fixed_number_of_queries(
    admin: Client,
    alice: User,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    invite_many(alice, number)
    # Session; staff user; device; person; activation; groups; permissions with their
    # content types; the person's groups and permissions; devices.
    page = f"/admin/users/user/{alice.pk}/change/"
    admin.get(page)  # content types are remembered from here on
    with django_assert_num_queries(10):
        admin.get(page)


def test_codes_are_read_only(admin: Client, alice: User, boris: User) -> None:
    invite(alice, boris)
    people = admin.get(f"/admin/users/user/{alice.pk}/change/").content.decode()
    assert 'name="invite_code"' not in people
    referral = admin.get(f"/admin/referrals/referral/{boris.pk}/change/")
    assert b"<input" not in referral.content.split(b"<main", 1)[-1].replace(
        b'<input type="hidden"', b""
    )
    for action in ("add", f"{boris.pk}/delete"):
        assert admin.get(f"/admin/referrals/referral/{action}/").status_code == 403


def test_a_person_added_by_staff_gets_an_invite_code(admin: Client) -> None:
    body = {"phone_number": "8 (999) 000-00-02", "usable_password": "false"}
    response = admin.post("/admin/users/user/add/", body)
    assert response.status_code == 302
    person = User.objects.get(phone_number=BORIS)
    assert person.invite_code
    assert not person.has_usable_password()


def test_a_taken_number_is_refused_by_the_form(admin: Client, boris: User) -> None:
    body = {"phone_number": "8 (999) 000-00-02", "usable_password": "false"}
    response = admin.post("/admin/users/user/add/", body)
    assert response.status_code == 200
    assert b"A person with this number exists." in response.content


def test_staff_can_sign_a_device_out(admin: Client, alice: User) -> None:
    issue_token(user=alice, device="Phone")
    token = Token.objects.get(user=alice)
    body = {
        "phone_number": ALICE,
        "is_active": "on",
        "tokens-TOTAL_FORMS": 1,
        "tokens-INITIAL_FORMS": 1,
        "tokens-0-id": token.pk,
        "tokens-0-user": alice.pk,
        "tokens-0-DELETE": "on",
    }
    response = admin.post(f"/admin/users/user/{alice.pk}/change/", body)
    assert response.status_code == 302, response.content
    assert not Token.objects.filter(user=alice).exists()
