import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import DatabaseError
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, Clock, ask_for_code, error_of, signed_in
from referrals.models import Referral
from tests.lab.shared import wrong
from users.login.clients import Client
from users.models import Device, User, UserManager

pytestmark = pytest.mark.django_db

URL = "/api/auth/verify-code/"


def verify(client: APIClient, phone_number: str, code: str, **body: Any) -> Any:
    return client.post(URL, {"phone_number": phone_number, "code": code, **body})


def test_the_first_sign_in_creates_the_account(api: APIClient, clock: Clock) -> None:
    code = ask_for_code(api, ALICE)
    response = verify(api, "8 (999) 000-00-01", code)
    assert response.status_code == 200
    body = response.json()
    user = User.objects.get()
    assert len(body.pop("token")) >= 40
    assert Client("", body.pop("device_token")).known_device(ALICE)
    assert body == {
        "expires_at": "2027-02-19T12:00:00Z",
        "is_new_user": True,
        "invite_code_applied": False,
        "user": {
            "id": user.pk,
            "phone_number": ALICE,
            "first_name": "",
            "last_name": "",
            "email": "",
            "invite_code": user.invite_code,
            "invite_link": f"http://testserver/i/{user.invite_code}/",
            "activated_invite_code": None,
        },
    }
    assert not user.has_usable_password()
    assert user.last_login is not None


def test_the_next_sign_in_finds_it_again(api: APIClient, alice: User) -> None:
    body = verify(api, ALICE, ask_for_code(api, ALICE)).json()
    assert body["is_new_user"] is False
    assert body["user"]["id"] == alice.pk
    assert body["user"]["invite_code"] == alice.invite_code
    assert User.objects.count() == 1


def test_a_pasted_code_with_spaces_is_read(api: APIClient) -> None:
    code = ask_for_code(api, ALICE)
    assert verify(api, ALICE, f" {code[:2]}-{code[2:]} ").status_code == 200


def test_a_wrong_code_is_refused_and_counted(api: APIClient) -> None:
    code = ask_for_code(api, ALICE)
    response = verify(api, ALICE, wrong(code))
    assert response.status_code == 400
    assert response.json()["type"] == "validation_error"
    assert error_of(response) == {
        "code": "code_incorrect",
        "detail": "The code is wrong. 4 attempts left.",
        "attr": "code",
        "attempts_left": 4,
    }
    assert User.objects.count() == Device.objects.count() == 0
    assert verify(api, ALICE, code).status_code == 200


def test_the_last_wrong_code_says_so(api: APIClient, settings: LazySettings) -> None:
    settings.LOGIN_CODE_MAX_ATTEMPTS = 1
    code = ask_for_code(api, ALICE)
    error = error_of(verify(api, ALICE, wrong(code)))
    assert error["attempts_left"] == 0
    assert error["detail"] == "The code is wrong, and this was the last attempt."
    response = verify(api, ALICE, code)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 300
    assert error_of(response)["limit"] == "guesses_per_code"


def test_expired_used_and_never_asked_get_one_answer(
    api: APIClient, clock: Clock
) -> None:
    never_asked = verify(api, BORIS, "1234")
    code = ask_for_code(api, ALICE)
    assert verify(api, ALICE, code).status_code == 200
    used = verify(api, ALICE, code)
    clock.pass_seconds(60)
    code = ask_for_code(api, ALICE)
    clock.pass_seconds(301)
    expired = verify(api, ALICE, code)
    assert {r.status_code for r in (never_asked, used, expired)} == {400}
    assert never_asked.json() == used.json() == expired.json()
    assert error_of(used) == {
        "code": "code_expired",
        "detail": "The code is no longer valid. Ask for a new one.",
        "attr": "code",
    }


def test_losing_the_race_of_first_sign_ins_is_no_error(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another request creates the account between this one's look and its write."""
    create_user = UserManager.create_user

    def create_late(self: UserManager, phone_number: str, **fields: Any) -> User:
        create_user(self, phone_number)
        return create_user(self, phone_number, **fields)

    code = ask_for_code(api, ALICE)
    monkeypatch.setattr(UserManager, "create_user", create_late)
    response = verify(api, ALICE, code)
    assert response.status_code == 200
    assert response.json()["is_new_user"] is False
    assert User.objects.count() == 1


def test_the_code_of_another_number_is_refused(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def different_digits(pseudonym: str, *args: object) -> str:
        return "1111" if pseudonym == ALICE.pseudonym else "2222"

    monkeypatch.setattr("users.login.codes.random_digits", different_digits)
    code = ask_for_code(api, ALICE)
    assert ask_for_code(api, BORIS) != code
    assert error_of(verify(api, BORIS, code))["code"] == "code_incorrect"


@pytest.mark.parametrize(
    "code",
    [
        *(
            42,
            1234,
            12.5,
            True,
            None,
            "",
            "12",
            "123456789",
            "12a4",
        ),
        *("\x00\x00\x00\x00", "\ud8001234", {"a": 1}),
        [f"{n:04}" for n in range(1000)],
    ],
    ids=repr,
)
def test_a_text_that_is_no_code_is_refused_and_not_counted(
    api: APIClient, settings: LazySettings, code: object
) -> None:
    settings.LOGIN_CODE_MAX_ATTEMPTS = 1
    right = ask_for_code(api, ALICE)
    body = json.dumps({"phone_number": ALICE, "code": code})  # escapes a lone surrogate
    response = api.post(URL, body, content_type="application/json")
    assert response.status_code == 400
    assert error_of(response)["attr"] == "code"
    assert verify(api, ALICE, right).status_code == 200


def test_an_invite_code_at_sign_in_counts(api: APIClient, alice: User) -> None:
    code = ask_for_code(api, BORIS)
    body = verify(api, BORIS, code, invite_code=alice.invite_code.lower()).json()
    assert body["invite_code_applied"] is True
    assert body["user"]["activated_invite_code"] == alice.invite_code
    assert Referral.objects.get().inviter == alice


def test_an_invite_code_of_the_code_request_counts_for_a_new_account(
    api: APIClient, alice: User
) -> None:
    code = ask_for_code(api, BORIS, invite_code=alice.invite_code)
    assert verify(APIClient(), BORIS, code).json()["invite_code_applied"] is True
    assert Referral.objects.get().inviter == alice


def test_an_invite_code_of_the_code_request_does_not_count_for_an_old_account(
    api: APIClient, alice: User, boris: User
) -> None:
    code = ask_for_code(api, BORIS, invite_code=alice.invite_code)
    assert verify(api, BORIS, code).json()["invite_code_applied"] is False
    assert not Referral.objects.exists()


def test_an_invite_code_from_another_address_does_not_count(
    api: APIClient, alice: User, clock: Clock
) -> None:
    stranger = APIClient(REMOTE_ADDR="192.0.2.1")
    code = ask_for_code(stranger, BORIS, invite_code=alice.invite_code)
    assert verify(api, BORIS, code).json()["invite_code_applied"] is False
    assert not Referral.objects.exists()


def test_a_stranger_cannot_replace_an_invite_code(
    api: APIClient, alice: User, clara: User, clock: Clock
) -> None:
    stranger = APIClient(REMOTE_ADDR="192.0.2.1")
    ask_for_code(stranger, BORIS, invite_code=clara.invite_code)
    clock.pass_seconds(60)
    ask_for_code(api, BORIS, invite_code=alice.invite_code)
    clock.pass_seconds(120)
    code = ask_for_code(stranger, BORIS, invite_code=clara.invite_code)
    assert verify(api, BORIS, code).json()["invite_code_applied"] is True
    assert Referral.objects.get().inviter == alice


def test_an_invite_code_counts_for_a_code_asked_for_before(
    api: APIClient, alice: User
) -> None:
    code = ask_for_code(api, BORIS)
    body = {"phone_number": BORIS, "invite_code": alice.invite_code}
    assert api.post("/api/auth/request-code/", body).status_code == 429
    assert verify(api, BORIS, code).json()["invite_code_applied"] is True


def test_an_invite_code_of_a_code_request_is_kept_for_an_hour(
    api: APIClient, alice: User, clock: Clock
) -> None:
    ask_for_code(api, BORIS, invite_code=alice.invite_code)
    clock.pass_seconds(3601)
    code = ask_for_code(api, BORIS)
    assert verify(api, BORIS, code).json()["invite_code_applied"] is False


def test_the_invite_code_at_sign_in_goes_first(
    api: APIClient, alice: User, clara: User
) -> None:
    code = ask_for_code(api, BORIS, invite_code=alice.invite_code)
    verify(api, BORIS, code, invite_code=clara.invite_code)
    assert Referral.objects.get().inviter == clara


def test_an_unknown_invite_code_is_refused_before_the_code_is_spent(
    api: APIClient, alice: User
) -> None:
    code = ask_for_code(api, BORIS)
    response = verify(api, BORIS, code, invite_code="000000")
    assert response.status_code == 400
    assert error_of(response)["code"] == "invite_code_unknown"
    assert not User.objects.filter(phone_number=BORIS).exists()
    for _ in range(5):  # the login code was right: none of its guesses is used up
        assert verify(api, BORIS, code, invite_code="000000").status_code == 400
    assert verify(api, BORIS, code, invite_code=alice.invite_code).status_code == 200


def test_an_own_invite_code_is_refused_before_the_code_is_spent(
    api: APIClient, alice: User
) -> None:
    code = ask_for_code(api, ALICE)
    response = verify(api, ALICE, code, invite_code=alice.invite_code)
    assert error_of(response)["code"] == "invite_code_own"
    assert not Device.objects.exists()
    assert verify(api, ALICE, code).status_code == 200


@pytest.mark.parametrize("invite_code", ["", None])
def test_an_empty_invite_code_is_none(api: APIClient, invite_code: str | None) -> None:
    code = ask_for_code(api, BORIS, invite_code=invite_code)
    assert verify(api, BORIS, code, invite_code=invite_code).status_code == 200


def test_a_wrong_code_says_nothing_of_the_invite_code(
    api: APIClient, alice: User
) -> None:
    code = ask_for_code(api, ALICE)
    response = verify(api, ALICE, wrong(code), invite_code=alice.invite_code)
    assert error_of(response)["code"] == "code_incorrect"


def test_a_remembered_invite_code_that_does_not_fit_does_not_stand_in_the_way(
    api: APIClient, alice: User
) -> None:
    code = ask_for_code(api, BORIS, invite_code=alice.invite_code)
    alice.delete()
    response = verify(api, BORIS, code)
    assert response.status_code == 200
    assert response.json()["invite_code_applied"] is False


def test_a_second_invite_code_at_a_later_sign_in_is_ignored(
    api: APIClient, alice: User, clara: User, clock: Clock
) -> None:
    verify(api, BORIS, ask_for_code(api, BORIS), invite_code=alice.invite_code)
    clock.pass_seconds(60)
    code = ask_for_code(api, BORIS)
    response = verify(api, BORIS, code, invite_code=clara.invite_code)
    assert response.status_code == 200
    assert response.json()["invite_code_applied"] is False
    assert Referral.objects.get().inviter == alice


def test_a_closed_account_is_told_only_to_its_owner(
    api: APIClient, alice: User
) -> None:
    User.objects.update(is_active=False)
    code = ask_for_code(api, ALICE)
    assert error_of(verify(api, ALICE, wrong(code)))["code"] == "code_incorrect"
    response = verify(api, ALICE, code)
    assert response.status_code == 403
    assert error_of(response)["code"] == "account_inactive"
    assert not Device.objects.exists()
    assert User.objects.get().last_login is None


def test_a_failure_on_the_way_leaves_nothing_and_keeps_the_code(
    api: APIClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**kwargs: object) -> None:
        raise DatabaseError

    code = ask_for_code(api, BORIS)
    with monkeypatch.context() as broken:
        broken.setattr("users.devices.token_authentication.add_device", fail)
        api.raise_request_exception = False
        for _ in range(6):  # an outage costs no guess
            response = verify(api, BORIS, code, invite_code=alice.invite_code)
    assert response.status_code == 500
    assert list(User.objects.all()) == [alice]
    assert not Referral.objects.exists()
    assert verify(api, BORIS, code, invite_code=alice.invite_code).status_code == 200


def test_the_device_is_remembered_by_its_own_word(api: APIClient) -> None:
    code = ask_for_code(api, ALICE)
    api.credentials(HTTP_USER_AGENT="Phone\r\n\t/1.0" + "x" * 300)
    verify(api, ALICE, code)
    device = Device.objects.get().user_agent
    assert device.startswith("Phone/1.0")
    assert len(device) == 200


def test_each_sign_in_is_a_device_of_its_own(
    api: APIClient, alice: User, clock: Clock
) -> None:
    signed_in(alice)
    verify(api, ALICE, ask_for_code(api, ALICE))
    assert Device.objects.filter(user=alice).count() == 2
