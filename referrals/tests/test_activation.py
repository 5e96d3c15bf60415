import pytest
from django.conf import LazySettings
from django.db import IntegrityError, OperationalError, transaction
from rest_framework.test import APIClient

from config.env import Limit
from conftest import error_of, signed_in
from referrals import services
from referrals.models import Referral
from users.models import User

pytestmark = pytest.mark.django_db

URL = "/api/profile/"


def activate(user: User, code: object) -> "tuple[int, dict[str, object]]":
    response = signed_in(user).post(URL, {"invite_code": code})
    return response.status_code, response.json()


def refusal(user: User, code: object) -> dict[str, object]:
    return error_of(signed_in(user).post(URL, {"invite_code": code}))


def test_an_activation_is_kept(alice: User, boris: User) -> None:
    status, body = activate(boris, alice.invite_code)
    assert status == 200
    assert body["message"] == "The invite code has been activated."
    assert body["profile"]["activated_invite_code"] == alice.invite_code  # type: ignore[index]
    referral = Referral.objects.get()
    assert (referral.invitee, referral.inviter) == (boris, alice)
    assert referral.code_used == alice.invite_code


@pytest.mark.parametrize(
    "spelling", ["{code}", " {lower} ", "{a}-{b}", "http://testserver/i/{code}/"]
)
def test_the_code_is_read_forgivingly(alice: User, boris: User, spelling: str) -> None:
    code = alice.invite_code
    text = spelling.format(code=code, lower=code.lower(), a=code[:3], b=code[3:])
    assert activate(boris, text)[0] == 200


def test_the_same_code_again_gives_the_same_answer(alice: User, boris: User) -> None:
    first = activate(boris, alice.invite_code)
    assert activate(boris, alice.invite_code) == first
    assert Referral.objects.count() == 1


def test_a_second_code_is_refused(alice: User, boris: User, clara: User) -> None:
    activate(boris, alice.invite_code)
    status, _ = activate(boris, clara.invite_code)
    assert status == 409
    assert refusal(boris, clara.invite_code) == {
        "code": "invite_code_already_activated",
        "detail": "You have already activated an invite code.",
        "attr": "invite_code",
    }
    assert Referral.objects.get().inviter == alice


def test_an_own_invite_code_is_refused(alice: User) -> None:
    assert refusal(alice, alice.invite_code) == {
        "code": "invite_code_own",
        "detail": "This is your own invite code. Enter another person's.",
        "attr": "invite_code",
    }
    assert not Referral.objects.exists()


@pytest.mark.parametrize("code", ["000000", "no such code", "''); --", "7K9QXU"])
def test_an_unknown_code_is_refused(boris: User, code: str) -> None:
    assert refusal(boris, code)["code"] == "invite_code_unknown"


def test_the_code_of_a_closed_account_is_unknown(alice: User, boris: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert refusal(boris, alice.invite_code)["code"] == "invite_code_unknown"


@pytest.mark.parametrize(
    ("code", "name"), [(None, "null"), ("", "blank"), (["x"], "invalid")]
)
def test_values_that_are_not_text_are_refused(
    boris: User, code: object, name: str
) -> None:
    assert refusal(boris, code)["code"] == name


def test_two_people_may_invite_each_other(alice: User, boris: User) -> None:
    assert activate(boris, alice.invite_code)[0] == 200
    assert activate(alice, boris.invite_code)[0] == 200


def test_deleting_the_inviter_leaves_the_activated_code(
    alice: User, boris: User
) -> None:
    code = alice.invite_code
    first = activate(boris, code)
    alice.delete()
    body = signed_in(boris).get(URL).json()
    assert body["activated_invite_code"] == code
    assert Referral.objects.get().inviter is None
    assert activate(boris, code) == first


def test_deleting_the_invitee_deletes_the_referral(alice: User, boris: User) -> None:
    activate(boris, alice.invite_code)
    boris.delete()
    assert signed_in(alice).get(URL).json()["referrals_count"] == 0


def test_the_database_alone_refuses_a_second_referral(
    alice: User, boris: User, clara: User
) -> None:
    Referral.objects.create(invitee=boris, inviter=alice, code_used=alice.invite_code)
    with pytest.raises(IntegrityError), transaction.atomic():
        Referral.objects.create(
            invitee=boris, inviter=clara, code_used=clara.invite_code
        )


def test_the_database_alone_refuses_inviting_oneself(alice: User) -> None:
    with pytest.raises(IntegrityError, match="referral_is_not_to_oneself"):
        Referral.objects.create(
            invitee=alice, inviter=alice, code_used=alice.invite_code
        )


def test_a_loser_of_the_race_is_told(
    alice: User, boris: User, clara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another request activates between this one's look and its write."""
    find_inviter = services.find_inviter

    def find_late(code: str) -> object:
        found = find_inviter(code)
        Referral.objects.create(
            invitee=boris, inviter=clara, code_used=clara.invite_code
        )
        return found

    monkeypatch.setattr(services, "find_inviter", find_late)
    assert refusal(boris, alice.invite_code)["code"] == "invite_code_already_activated"
    assert Referral.objects.get().inviter == clara


def test_opening_a_share_link_changes_nothing(api: APIClient, alice: User) -> None:
    response = api.get(f"/i/{alice.invite_code.lower()}/")
    assert response.status_code == 200
    assert alice.invite_code in response.content.decode()
    assert "does not work" in api.get("/i/not-a-code/").content.decode()
    assert not Referral.objects.exists()


def test_an_outage_is_no_failure_of_the_person(
    alice: User,
    boris: User,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = {"activation_failures_per_user": Limit(1, 3600)}
    settings.LIMITS = {**settings.LIMITS, **limits}

    def fail(code: str) -> None:
        raise OperationalError

    with monkeypatch.context() as away:
        away.setattr(services, "find_inviter", fail)
        assert refusal(boris, alice.invite_code)["code"] == "service_unavailable"
    assert activate(boris, alice.invite_code)[0] == 200
