"""The page that explains why an invitation was not credited."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from conftest import ALICE, BORIS, CLARA, open_session, signed_in
from referrals.support.corrections import correct_inviter
from users.models import User
from users.staff.admin_site import BY_PASSWORD

pytestmark = pytest.mark.django_db

URL = "/admin/referrals/referral/why/"
NOBODY = "+79990000077"


def ask(admin: Client, invitee: str, inviter: str) -> str:
    response = admin.post(URL, {"invitee": invitee, "inviter": inviter})
    assert response.status_code == 200
    return response.content.decode()


def activate(invitee: User, inviter: User) -> None:
    body = {"invite_code": inviter.invite_code}
    assert signed_in(invitee).post("/api/profile/", body).status_code == 200


def test_nothing_was_activated(admin: Client, alice: User, boris: User) -> None:
    body = ask(admin, "8 (999) 000-00-02", alice.invite_code.lower())
    assert "has not activated an invite code" in body
    assert "joined after the inviter" in body
    fix = f"/admin/referrals/referral/{boris.pk}/correct/?inviter={alice.invite_code}"
    assert fix in body
    assert f'value="{alice.invite_code}"' in admin.get(fix).content.decode()


def test_a_credited_invitation_is_explained(
    admin: Client, alice: User, boris: User
) -> None:
    activate(boris, alice)
    assert f"The inviter is credited: code {alice.invite_code}" in ask(
        admin, BORIS, ALICE
    )


def test_another_code_was_activated(
    admin: Client, alice: User, boris: User, clara: User
) -> None:
    activate(boris, clara)
    body = ask(admin, BORIS, ALICE)
    assert f"activated the code {clara.invite_code} of {CLARA} on" in body


def test_the_other_inviter_is_gone(
    admin: Client, alice: User, boris: User, clara: User
) -> None:
    activate(boris, clara)
    clara.delete()
    assert "it belonged to a deleted account" in ask(admin, BORIS, ALICE)


def test_there_is_no_such_account(admin: Client, alice: User) -> None:
    body = ask(admin, NOBODY, ALICE)
    assert "no account with the invited person&#x27;s number" in body
    assert "Credit the inviter" not in body
    assert "no account with the inviter&#x27;s number" in ask(admin, ALICE, NOBODY)


def test_both_are_the_same(admin: Client, alice: User) -> None:
    assert "are the same person" in ask(admin, ALICE, "8 999 000 00 01")


def test_the_invited_was_there_before(admin: Client, alice: User, boris: User) -> None:
    User.objects.filter(pk=boris.pk).update(
        date_joined=alice.date_joined - timedelta(days=1)
    )
    assert "joined before the inviter" in ask(admin, BORIS, ALICE)


def test_closed_accounts(admin: Client, alice: User, boris: User) -> None:
    User.objects.filter(pk__in=[alice.pk, boris.pk]).update(is_active=False)
    body = ask(admin, BORIS, ALICE)
    assert "The inviter&#x27;s account is closed" in body
    assert "The invited person&#x27;s account is closed" in body


def test_refused_codes_are_told(admin: Client, alice: User, boris: User) -> None:
    body = {"invite_code": boris.invite_code}
    signed_in(boris).post("/api/profile/", body)
    assert "that were refused recently: 1." in ask(admin, BORIS, ALICE)


def test_corrections_are_told_as_text(
    admin: Client, alice: User, boris: User, staff: User
) -> None:
    reason = "<script>alert(1)</script>"
    correct_inviter(invitee=boris, inviter=alice, seen=":", reason=reason, by=staff)
    body = ask(admin, BORIS, ALICE)
    assert f"from – to {alice.invite_code}: &lt;script&gt;" in body
    assert reason not in body


@pytest.mark.parametrize("text", ["", "somebody else", "\x00", "7" * 301])
def test_a_text_that_is_no_number_is_refused(admin: Client, text: str) -> None:
    assert "Please correct the errors below." in ask(admin, text, ALICE)


def test_explanations_need_the_permission_to_view_referrals(
    client: Client, alice: User, boris: User
) -> None:
    boris.is_staff = True
    boris.save()
    boris.user_permissions.set(Permission.objects.filter(codename="view_user"))
    open_session(client, boris, backend=BY_PASSWORD)
    assert client.get(URL).status_code == 403
    assert client.post(URL, {"invitee": ALICE, "inviter": BORIS}).status_code == 403


def test_the_link_on_the_page_of_a_person_shows_no_number(
    admin: Client, alice: User
) -> None:
    body = admin.get(f"/admin/users/user/{alice.pk}/change/").content.decode()
    assert f"{URL}?invitee={alice.invite_code}" in body
    page = admin.get(f"{URL}?invitee={alice.invite_code}").content.decode()
    assert f'value="{alice.invite_code}"' in page
