import pytest
from django.utils import timezone

from conftest import ALICE, BORIS, Clock, error_of, signed_in
from referrals.models import Referral
from users.models import User

pytestmark = pytest.mark.django_db

URL = "/api/profile/"


def test_the_profile(alice: User, boris: User, clara: User, clock: Clock) -> None:
    for invitee, inviter in ((boris, alice), (alice, clara)):
        Referral.objects.create(
            invitee=invitee,
            inviter=inviter,
            code_used=inviter.invite_code,
            created_at=timezone.now(),
        )
    assert signed_in(alice).get(URL).json() == {
        "id": alice.pk,
        "phone_number": ALICE,
        "first_name": "",
        "last_name": "",
        "email": "",
        "invite_code": alice.invite_code,
        "invite_link": f"http://testserver/i/{alice.invite_code}/",
        "activated_invite_code": clara.invite_code,
        "referrals": [{"phone_number": BORIS, "activated_at": "2026-11-21T12:00:00Z"}],
        "referrals_count": 1,
        "referrals_count_is_exact": True,
        "referrals_next": None,
    }


def test_name_and_mail_can_be_changed(alice: User) -> None:
    body = {"first_name": "Алиса", "last_name": "O'Neil", "email": "a@example.com"}
    response = signed_in(alice).patch(URL, body)
    assert response.status_code == 200
    alice.refresh_from_db()
    for name, value in body.items():
        assert response.json()[name] == getattr(alice, name) == value


def test_fields_that_are_not_sent_stay(alice: User) -> None:
    client = signed_in(alice)
    client.patch(URL, {"first_name": "Alice", "email": "a@example.com"})
    body = client.patch(URL, {"first_name": ""}).json()
    assert (body["first_name"], body["email"]) == ("", "a@example.com")
    assert client.patch(URL, {}).status_code == 200


@pytest.mark.parametrize(
    "name", ["id", "phone_number", "invite_code", "is_staff", "activated_invite_code"]
)
def test_nothing_else_can_be_changed(alice: User, name: str) -> None:
    client = signed_in(alice)
    before = client.get(URL).json()
    assert client.patch(URL, {name: BORIS}).json() == before
    alice.refresh_from_db()
    assert not alice.is_staff


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"email": "no mail"}, "invalid"),
        ({"email": f"{'a' * 250}@example.com"}, "max_length"),
        ({"first_name": "x" * 151}, "max_length"),
        ({"first_name": None}, "null"),
        ({"first_name": "a\x00b"}, "null_characters_not_allowed"),
        ({"first_name": {"a": 1}}, "invalid"),
    ],
)
def test_bad_values_are_refused_by_name(
    alice: User, body: dict[str, object], code: str
) -> None:
    response = signed_in(alice).patch(URL, body)
    assert response.status_code == 400
    error = error_of(response)
    assert (error["code"], error["attr"]) == (code, next(iter(body)))


def test_markup_in_a_name_stays_text(alice: User) -> None:
    name = "<script>alert(1)</script>"
    response = signed_in(alice).patch(URL, {"first_name": name})
    assert response.json()["first_name"] == name
    assert response["Content-Type"] == "application/json"
