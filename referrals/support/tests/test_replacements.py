"""Staff replace an invite code: the old one goes on working, or does not."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import Clock, signed_in
from referrals.models import Referral, ReplacedInviteCode
from referrals.statistics.bursts import BURST
from referrals.support.replacements import replace_invite_code
from referrals.tests.test_list import invite_many
from users.models import User

pytestmark = pytest.mark.django_db


def replace(admin: Client, owner: User, choice: str, **changes: str) -> Any:
    form = {"old_code": choice, "reason": "It leaked.", "seen": owner.invite_code}
    url = f"/admin/referrals/referral/{owner.pk}/replace-code/"
    return admin.post(url, form | changes)


def new_code(owner: User) -> str:
    return User.objects.get(pk=owner.pk).invite_code


def activate(invitee: User, code: str) -> int:
    body = {"invite_code": code}
    return signed_in(invitee).post("/api/profile/", body).status_code


@pytest.mark.parametrize(("old_code", "status"), [("refused", 400), ("honoured", 200)])
def test_the_old_code_works_or_does_not(
    admin: Client, alice: User, boris: User, clara: User, old_code: str, status: int
) -> None:
    assert replace(admin, alice, old_code).status_code == 302
    assert new_code(alice) != alice.invite_code
    assert activate(boris, alice.invite_code) == status
    assert activate(clara, new_code(alice)) == 200
    assert APIClient().get(f"/i/{alice.invite_code}/").status_code == (
        200 if status == 200 else 404
    )


def test_referrals_stay(admin: Client, alice: User, boris: User) -> None:
    activate(boris, alice.invite_code)
    replace(admin, alice, "refused")
    referral = Referral.objects.get()
    assert (referral.inviter_id, referral.code_used) == (alice.pk, alice.invite_code)
    assert activate(boris, alice.invite_code) == 200  # as before: his code


def test_the_old_code_of_a_closed_account_is_refused(
    admin: Client, alice: User, boris: User
) -> None:
    replace(admin, alice, "honoured")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert activate(boris, alice.invite_code) == 400


@pytest.mark.parametrize(
    "changes", [{"reason": ""}, {"old_code": ""}, {"seen": "ZZZZZZ"}, {"seen": ""}]
)
def test_nothing_is_replaced_without_a_reason_or_by_an_outdated_form(
    admin: Client, alice: User, changes: dict[str, str]
) -> None:
    assert replace(admin, alice, "refused", **changes).status_code == 200
    assert new_code(alice) == alice.invite_code
    assert not ReplacedInviteCode.objects.exists()


def test_a_code_is_replaced_once_by_two_clicks(admin: Client, alice: User) -> None:
    replace(admin, alice, "refused")
    assert (
        "has changed in the meantime"
        in replace(admin, alice, "refused").content.decode()
    )
    assert ReplacedInviteCode.objects.count() == 1


def test_a_code_that_somebody_has_or_had_is_not_given(
    alice: User, boris: User, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(*codes: str) -> None:
        drawn = iter(codes)
        name = "referrals.support.replacements.draw_invite_code"
        monkeypatch.setattr(name, lambda: next(drawn))

    facts: dict[str, Any] = {"is_honoured": True, "reason": "x", "by": staff}
    draw("AAAAAA")
    replace_invite_code(owner=alice, seen=alice.invite_code, **facts)
    draw(alice.invite_code, "AAAAAA", "BBBBBB")
    replace_invite_code(owner=boris, seen=boris.invite_code, **facts)
    assert new_code(boris) == "BBBBBB"


def test_a_replacement_is_on_record(
    admin: Client,
    alice: User,
    staff: User,
    records: list[dict[str, Any]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        replace(admin, alice, "refused")
    assert records[-1] == {
        "event": "invite_code.replaced",
        "user": alice.pk,
        "old_code_works": False,
        "by": staff.pk,
    }
    body = admin.get(f"/admin/users/user/{alice.pk}/change/").content.decode()
    assert f"{alice.invite_code}: old, refused" in body
    assert "It leaked." in body


def test_a_person_is_found_by_the_old_code(admin: Client, alice: User) -> None:
    replace(admin, alice, "refused")
    body = admin.get("/admin/users/user/", {"q": alice.invite_code}).content.decode()
    assert alice.phone_number in body


def test_an_account_with_a_replaced_code_can_be_deleted(
    admin: Client, alice: User
) -> None:
    replace(admin, alice, "refused")
    assert signed_in(alice).delete("/api/profile/").status_code in (200, 204)
    assert not ReplacedInviteCode.objects.exists()


def test_many_activations_are_flagged_and_refused_to_nobody(
    clock: Clock, admin: Client, alice: User, boris: User
) -> None:
    invite_many(alice, BURST)
    Referral.objects.update(created_at=timezone.now())
    page = f"/admin/users/user/{alice.pk}/change/"
    assert 'class="flag"' in admin.get(page).content.decode()
    assert activate(boris, alice.invite_code) == 200
    Referral.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert 'class="flag"' not in admin.get(page).content.decode()
