"""Support corrects who invited whom: with a reason, on record, and back again."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from conftest import ALICE, BORIS, CLARA, open_session, signed_in
from referrals.exceptions import CorrectionOutdated
from referrals.models import Correction, Referral
from referrals.support.corrections import correct_inviter, revert_correction, standing
from users.models import User
from users.staff.admin_site import BY_PASSWORD
from users.staff.support_group import give_rights

pytestmark = pytest.mark.django_db


def page_of(person: User) -> str:
    return f"/admin/referrals/referral/{person.pk}/correct/"


def correct(admin: Client, person: User, inviter: str, **form: Any) -> Any:
    body = {
        "inviter": inviter,
        "reason": "She showed the chat.",
        "seen": standing(person.pk).seen,
        **form,
    }
    return admin.post(page_of(person), body)


def activate(invitee: User, inviter: User) -> None:
    body = {"invite_code": inviter.invite_code}
    assert signed_in(invitee).post("/api/profile/", body).status_code == 200


@pytest.mark.parametrize("spelling", ["8 (999) 000-00-01", ALICE, "{code}"])
def test_a_missing_inviter_is_credited(
    admin: Client,
    alice: User,
    boris: User,
    staff: User,
    records: list[dict[str, Any]],
    spelling: str,
    django_capture_on_commit_callbacks: Any,
) -> None:
    code = alice.invite_code.lower()
    with django_capture_on_commit_callbacks(execute=True):
        response = correct(admin, boris, spelling.format(code=code))
    assert response["Location"] == f"/admin/users/user/{boris.pk}/change/"
    referral = Referral.objects.get()
    assert (referral.invitee_id, referral.inviter_id) == (boris.pk, alice.pk)
    assert referral.code_used == alice.invite_code
    correction = Correction.objects.get()
    assert (correction.before_id, correction.code_before) == (None, "")
    assert (correction.after_id, correction.by_id) == (alice.pk, staff.pk)
    assert correction.reason == "She showed the chat."
    assert records[-1] == {
        "event": "inviter.corrected",
        "user": boris.pk,
        "before": None,
        "after": alice.pk,
        "correction": correction.pk,
        "by": staff.pk,
    }
    profile = signed_in(alice).get("/api/profile/").json()
    assert [row["phone_number"] for row in profile["referrals"]] == [BORIS]


def test_a_wrong_inviter_is_replaced_and_the_date_stays(
    admin: Client, alice: User, boris: User, clara: User
) -> None:
    activate(boris, clara)
    then = timezone.now() - timedelta(days=3)
    Referral.objects.update(created_at=then)
    correct(admin, boris, ALICE)
    referral = Referral.objects.get()
    assert (referral.inviter_id, referral.code_used) == (alice.pk, alice.invite_code)
    assert referral.created_at == then


def test_a_wrong_inviter_is_taken_away(
    admin: Client, alice: User, boris: User, clara: User
) -> None:
    activate(boris, clara)
    correct(admin, boris, "")
    assert not Referral.objects.exists()
    activate(boris, alice)  # and may now activate the right one


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("nobody", "alice"),
        ("clara", "alice"),
        ("clara", "nobody"),
        ("gone", "alice"),
        ("gone", "nobody"),
    ],
)
def test_a_correction_is_reverted_to_what_it_was(
    admin: Client, alice: User, boris: User, clara: User, before: str, after: str
) -> None:
    if before != "nobody":
        activate(boris, clara)
    if before == "gone":
        clara.delete()
    was = standing(boris.pk)
    correct(admin, boris, ALICE if after == "alice" else "")
    assert standing(boris.pk) != was
    correction = Correction.objects.get()
    url = f"/admin/referrals/correction/{correction.pk}/revert/"
    assert b"She showed the chat." in admin.get(url).content
    assert admin.post(url, {"reason": "A mistake."}).status_code == 302
    assert standing(boris.pk) == was
    assert Correction.objects.count() == 2
    assert Correction.objects.latest("pk").reason == "A mistake."


@pytest.mark.parametrize(
    ("inviter", "text"),
    [
        (BORIS, "People cannot invite themselves."),
        ("+79990000077", "Nobody has this number or code."),
        ("somebody else", "This is neither a number nor an invite code."),
        ("", "This inviter is already recorded."),
    ],
)
def test_an_impossible_correction_is_refused(
    admin: Client, boris: User, inviter: str, text: str
) -> None:
    response = correct(admin, boris, inviter)
    assert response.status_code == 200
    assert text in response.content.decode()
    assert not Referral.objects.exists()
    assert not Correction.objects.exists()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_reason_is_needed(
    admin: Client, alice: User, boris: User, reason: str
) -> None:
    assert correct(admin, boris, ALICE, reason=reason).status_code == 200
    assert not Referral.objects.exists()


def test_the_database_alone_refuses_no_reason(alice: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Correction.objects.create(invitee=alice, reason="")


def test_a_correction_of_an_outdated_state_is_refused(
    admin: Client, alice: User, boris: User, clara: User
) -> None:
    seen = standing(boris.pk).seen
    activate(boris, clara)
    response = correct(admin, boris, ALICE, seen=seen)
    assert "The inviter has changed in the meantime." in response.content.decode()
    assert Referral.objects.get().inviter_id == clara.pk


def test_an_activation_at_the_same_moment_wins(
    alice: User, boris: User, clara: User, staff: User, monkeypatch: Any
) -> None:
    """The look finds nothing yet; the primary key judges."""
    activate(boris, clara)
    monkeypatch.setattr(
        "referrals.support.corrections.Referral.objects.select_for_update",
        lambda: Referral.objects.none(),
    )
    with pytest.raises(CorrectionOutdated):
        correct_inviter(invitee=boris, inviter=alice, seen=":", reason="x", by=staff)
    assert Referral.objects.get().inviter_id == clara.pk
    assert not Correction.objects.exists()


def test_an_old_correction_is_not_reverted_over_a_newer_one(
    admin: Client, alice: User, boris: User, clara: User, staff: User
) -> None:
    correct(admin, boris, ALICE)
    first = Correction.objects.get()
    correct(admin, boris, CLARA)
    with pytest.raises(CorrectionOutdated):
        revert_correction(first, reason="x", by=staff)
    url = f"/admin/referrals/correction/{first.pk}/revert/"
    assert b"changed in the meantime" in admin.post(url, {"reason": "x"}).content
    assert Referral.objects.get().inviter_id == clara.pk


def test_corrections_need_a_right_of_their_own(
    client: Client, alice: User, boris: User, clara: User
) -> None:
    clara.is_staff = True
    clara.save()
    others = Permission.objects.exclude(codename="add_correction")
    clara.user_permissions.set(others)
    open_session(client, clara, backend=BY_PASSWORD)
    assert client.get(page_of(boris)).status_code == 403
    assert correct(client, boris, ALICE).status_code == 403
    correction = Correction.objects.create(invitee=boris, reason="x")
    url = f"/admin/referrals/correction/{correction.pk}/revert/"
    assert client.post(url, {"reason": "x"}).status_code == 403
    assert not Referral.objects.exists()


@pytest.fixture
def support(client: Client, clara: User) -> Client:
    """Clara, one of the support staff."""
    clara.is_staff = True
    clara.save()
    clara.groups.add(give_rights())
    open_session(client, clara, backend=BY_PASSWORD)
    return client


@pytest.mark.parametrize("rights", [{"is_staff": True}, {"is_superuser": True}])
@pytest.mark.parametrize("role", ["invitee", "inviter", "former inviter"])
def test_support_corrects_nothing_of_staff(
    support: Client, alice: User, boris: User, role: str, rights: dict[str, bool]
) -> None:
    if role == "former inviter":
        activate(boris, alice)
    before = list(Referral.objects.values())
    of_staff = boris if role == "invitee" else alice
    User.objects.filter(pk=of_staff.pk).update(**rights)
    inviter = "" if role == "former inviter" else ALICE
    assert correct(support, boris, inviter).status_code == 403
    correction = Correction.objects.create(
        invitee=boris, before=alice, code_before=alice.invite_code, reason="x"
    )
    url = f"/admin/referrals/correction/{correction.pk}/revert/"
    assert support.get(url).status_code == 403
    assert support.post(url, {"reason": "x"}).status_code == 403
    assert Correction.objects.get() == correction
    assert list(Referral.objects.values()) == before


def test_support_does_not_open_the_correction_of_staff(
    support: Client, boris: User, staff: User
) -> None:
    assert support.get(page_of(boris)).status_code == 200
    assert support.get(page_of(staff)).status_code == 403


def test_a_superuser_corrects_the_inviter_of_staff(
    admin: Client, alice: User, boris: User
) -> None:
    User.objects.filter(pk=boris.pk).update(is_staff=True)
    assert correct(admin, boris, ALICE).status_code == 302
    assert Referral.objects.get().inviter_id == alice.pk


def test_a_forged_correction_is_refused(staff: User, alice: User, boris: User) -> None:
    client = Client(enforce_csrf_checks=True)
    open_session(client, staff, backend=BY_PASSWORD)
    assert correct(client, boris, ALICE).status_code == 403


@pytest.mark.parametrize("action", ["change", "delete"])
def test_existing_referrals_stay(admin: Client, boris: User, action: str) -> None:
    correction = Correction.objects.create(invitee=boris, reason="x")
    url = f"/admin/referrals/correction/{correction.pk}/{action}/"
    assert admin.post(url, {"reason": "y", "post": "yes"}).status_code == 403
    assert Correction.objects.get().reason == "x"


def test_nobody_to_correct_is_not_found(admin: Client) -> None:
    assert admin.get("/admin/referrals/referral/77/correct/").status_code == 404
    assert admin.get("/admin/referrals/correction/77/revert/").status_code == 404


def test_a_person_with_corrections_can_be_deleted(
    admin: Client, alice: User, boris: User
) -> None:
    correct(admin, boris, ALICE)
    alice.delete()
    assert Correction.objects.get().after_id is None
    page = f"/admin/users/user/{boris.pk}/delete/"
    assert admin.post(page, {"post": "yes"}).status_code == 302
    assert not Correction.objects.exists()


@pytest.mark.parametrize("role", ["invitee", "inviter"])
def test_nobody_corrects_what_they_are_one_of(
    admin: Client, alice: User, staff: User, role: str
) -> None:
    invitee, inviter = (staff, alice) if role == "invitee" else (alice, staff)
    page = correct(admin, invitee, inviter.phone_number)
    assert b"Another member of staff has to do this" in page.content
    assert not Correction.objects.exists()
