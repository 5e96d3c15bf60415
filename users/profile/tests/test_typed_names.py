"""Names and e-mail addresses with characters that nobody sees."""

import pytest
from django.test import Client

from conftest import open_session, signed_in
from users.models import User

PROFILE = "/api/profile/"

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("\u200b\u3164\u2060", ""),
        ("\u200d\ufe0f", ""),
        ("\u0301", ""),  # an accent without a letter
        ("\ufffc", ""),  # stands for a picture that was not copied
        ("\u202eecilA", "ecilA"),
        ("Al\x07ice\U000e0041", "Alice"),
        ("Zoe\u0308", "Zoë"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian is spelt with it
    ],
)
def test_a_name_keeps_only_what_belongs_to_it(
    alice: User, sent: str, kept: str
) -> None:
    response = signed_in(alice).patch(PROFILE, {"first_name": sent})
    assert response.json()["first_name"] == kept


def test_an_email_loses_invisible_characters(alice: User) -> None:
    body = {"email": " \u200ealice@exa\u200bmple.com\ufeff"}
    response = signed_in(alice).patch(PROFILE, body)
    assert response.json()["email"] == "alice@example.com"


def test_a_name_is_isolated_from_the_text_around_it(
    client: Client, alice: User
) -> None:
    User.objects.filter(pk=alice.pk).update(first_name="\u202eAlice")
    open_session(client, alice)
    assert "<h1><bdi>\u202eAlice</bdi></h1>" in client.get("/profile/").content.decode()
