"""What must hold however many requests arrive at once: real threads, real database.

The same races run over HTTP against several processes in tests/e2e/test_races.py.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.db import connection, connections, transaction
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, ask_for_code, error_of, signed_in, then_pause
from referrals.exceptions import CorrectionOutdated
from referrals.models import Correction, Referral
from referrals.support.corrections import correct_inviter
from tests.lab.shared import wrong
from users.channels.memory import Message
from users.devices.jwt_tokens import issue_refresh_token
from users.login import codes
from users.login.accounts import lock_or_create
from users.models import Device, User
from users.phone_change import services as phone_change
from users.phones import PhoneNumber

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("pauses_in_the_cache"),
]

VERIFY = "/api/auth/verify-code/"
slow = pytest.mark.slow


def start_together(number: int, act: Callable[[int], Any]) -> list[Any]:
    """The results of `number` calls that start together, each in a thread."""
    barrier = Barrier(number)

    def run(i: int) -> Any:
        try:
            barrier.wait(timeout=20)
            with connection.execute_wrapper(then_pause):
                return act(i)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(run, range(number)))


def outcomes(responses: list[Any]) -> Counter[str]:
    """Counts of "200" and of the names of refusals."""
    return Counter(
        str(r.status_code) if r.status_code < 300 else error_of(r)["code"]
        for r in responses
    )


def verify(code: str, phone_number: str = ALICE, **body: Any) -> Any:
    body = {"phone_number": phone_number, "code": code, **body}
    return APIClient().post(VERIFY, body)


def test_each_wrong_guess_of_a_burst_is_counted() -> None:
    code = ask_for_code(APIClient(), ALICE)
    seen = outcomes(start_together(50, lambda i: verify(wrong(code))))
    assert seen == {
        "code_incorrect": settings.LOGIN_CODE_MAX_ATTEMPTS,
        "throttled": 45,
    }
    assert not User.objects.exists()


@pytest.mark.parametrize("is_cluster", [False, pytest.param(True, marks=slow)])
def test_guesses_from_all_addresses_share_one_allowance(
    settings: LazySettings, is_cluster: bool
) -> None:
    settings.REDIS_IS_CLUSTER = is_cluster  # then the limits are checked in steps
    settings.TRUSTED_PROXY_COUNT = 1
    # Which would end the guessing as well.
    settings.LOGIN_CODE_GROWTH = settings.LOGIN_CODE_GROWTH_OVERALL = []
    settings.LOGIN_CODE_GROWTH_PER_CLIENT = []
    code = ask_for_code(APIClient(), ALICE)
    body = {"phone_number": ALICE, "code": wrong(code)}

    def guess(i: int) -> Any:
        return APIClient(headers={"x-forwarded-for": f"10.0.0.{i}"}).post(VERIFY, body)

    assert outcomes(start_together(50, guess)) == {
        "code_incorrect": 10,
        "code_expired": 40,
    }


def test_the_right_code_50_times_signs_in_once(alice: User) -> None:
    code = ask_for_code(APIClient(), ALICE)
    seen = outcomes(start_together(50, lambda i: verify(code)))
    assert seen["200"] == 1
    assert set(seen) <= {"200", "code_expired", "throttled"}
    assert Device.objects.count() == 1


def test_the_right_code_50_times_creates_one_account_and_activation(
    alice: User,
) -> None:
    code = ask_for_code(APIClient(), BORIS)
    seen = outcomes(
        start_together(50, lambda i: verify(code, BORIS, invite_code=alice.invite_code))
    )
    assert seen["200"] == 1
    assert set(seen) <= {"200", "code_expired", "throttled"}
    assert User.objects.count() == 2
    assert Referral.objects.count() == Device.objects.count() == 1


def test_20_first_sign_ins_make_one_account() -> None:
    """As if each had a code of its own: the database must judge, not the code."""

    def find_or_create(i: int) -> tuple[User, bool]:
        with transaction.atomic():
            return lock_or_create(ALICE)

    users = start_together(20, find_or_create)
    assert len({user.pk for user, _ in users}) == 1
    assert [is_new for _, is_new in users].count(True) == 1
    assert User.objects.count() == 1


def test_two_people_sign_in_at_once_with_each_others_invite_codes(
    alice: User, boris: User
) -> None:
    people = [(alice, boris), (boris, alice)]
    digits = [ask_for_code(APIClient(), me.phone_number) for me, _ in people]

    def sign_in(i: int) -> Any:
        me, inviter = people[i]
        return verify(digits[i], me.phone_number, invite_code=inviter.invite_code)

    assert outcomes(start_together(2, sign_in)) == {"200": 2}
    assert Referral.objects.count() == 2


def test_one_of_12_activations_succeeds(alice: User) -> None:
    inviters = [User.objects.create_user(f"+7999000010{n}") for n in range(4)]
    client = signed_in(alice)
    seen = outcomes(
        start_together(
            12,
            lambda i: client.post(
                "/api/profile/", {"invite_code": inviters[i % 4].invite_code}
            ),
        )
    )
    # Three requests carry the winner's code: the same code again is no refusal.
    assert seen == {"200": 3, "invite_code_already_activated": 9}
    assert Referral.objects.count() == 1


def test_the_same_activation_12_times_is_one_row(alice: User, boris: User) -> None:
    client = signed_in(boris)
    body = {"invite_code": alice.invite_code}
    seen = outcomes(start_together(12, lambda i: client.post("/api/profile/", body)))
    assert seen == {"200": 12}
    assert Referral.objects.count() == 1


def test_one_code_gives_one_token_of_either_kind() -> None:
    code = ask_for_code(APIClient(), ALICE)
    body = {"phone_number": ALICE, "code": code}
    paths = [VERIFY, "/api/auth/jwt/create/"]
    seen = outcomes(start_together(20, lambda i: APIClient().post(paths[i % 2], body)))
    assert seen["200"] == 1
    assert Device.objects.count() == 1


REFRESH = "/api/auth/jwt/refresh/"


def refresh_one_of(tokens: list[str], i: int) -> Any:
    return APIClient().post(REFRESH, {"refresh": tokens[i]})


def test_two_refreshes_at_once_leave_one_valid_refresh_token(alice: User) -> None:
    """As two tabs do. The second counts as the repeat of the first."""
    for _ in range(5):
        _, token = issue_refresh_token(user=alice, user_agent="")
        answers = start_together(2, partial(refresh_one_of, [token, token]))
        assert outcomes(answers) == {"200": 2}
        tokens = {answer.json()["refresh"] for answer in answers}
        assert len(tokens) == 2
        verified = [
            APIClient().post("/api/auth/jwt/verify/", {"token": token}).status_code
            for token in tokens
        ]
        assert sorted(verified) == [200, 401]
    assert Device.objects.count() == 5


def test_20_refreshes_at_once_sign_the_device_out(alice: User) -> None:
    _, token = issue_refresh_token(user=alice, user_agent="")
    other, _ = issue_refresh_token(user=alice, user_agent="")
    body = {"refresh": token}
    answers = start_together(20, lambda i: APIClient().post(REFRESH, body))
    # The first, and one that counts as its repeat.
    assert outcomes(answers) == {"200": 2, "token_invalid": 18}
    for winner in (answer.json() for answer in answers if answer.status_code == 200):
        again = APIClient().post(REFRESH, {"refresh": winner["refresh"]})
        assert again.status_code == 401
        headers = {"authorization": f"Bearer {winner['access']}"}
        assert APIClient(headers=headers).get("/api/profile/").status_code == 401
    assert list(Device.objects.all()) == [other]


def test_thief_and_owner_never_have_two_valid_refresh_tokens(alice: User) -> None:
    """The thief repeats while the owner goes on with the token of the first answer."""
    for _ in range(5):
        _, copied = issue_refresh_token(user=alice, user_agent="")
        first = APIClient().post(REFRESH, {"refresh": copied}).json()
        tokens = [copied, first["refresh"]]
        answers = start_together(2, partial(refresh_one_of, tokens))
        given = [answer.json() for answer in answers if answer.status_code == 200]
        assert len(given) == 1
        last = APIClient().post(REFRESH, {"refresh": given[0]["refresh"]})
        assert last.status_code == 401
    assert not Device.objects.exists()


CHANGE = "/api/profile/phone/"


def change_codes(user: User, phone_number: PhoneNumber) -> dict[str, str]:
    scope = phone_change._scope(user, phone_number)
    return {
        "phone_number": phone_number,
        "old_code": codes.issue(
            PhoneNumber(user.phone_number), length=4, scope=scope
        ).digits,
        "new_code": codes.issue(phone_number, length=4, scope=scope).digits,
    }


def test_the_right_codes_20_times_change_the_number_once(alice: User) -> None:
    client, body = signed_in(alice), change_codes(alice, BORIS)
    seen = outcomes(start_together(20, lambda i: client.post(CHANGE, body)))
    assert seen["200"] == 1
    assert set(seen) <= {"200", "code_expired", "throttled", "authentication_failed"}
    assert User.objects.get().phone_number == BORIS
    assert Device.objects.count() == 1


def test_one_of_several_changes_to_one_number_succeeds() -> None:
    """And a first sign-in of that number comes in between."""
    people = [User.objects.create_user(f"+7999000030{n}") for n in range(4)]
    clients = [signed_in(person) for person in people]
    bodies = [change_codes(person, BORIS) for person in people]
    code = codes.issue(BORIS, length=4).digits

    def act(i: int) -> Any:
        return clients[i].post(CHANGE, bodies[i]) if i < 4 else verify(code, BORIS)

    *changes, sign_in = start_together(5, act)
    seen = outcomes(changes)
    assert set(seen) <= {"200", "phone_number_taken"}
    assert seen["200"] <= 1
    assert sign_in.status_code == 200
    assert User.objects.filter(phone_number=BORIS).count() == 1
    assert User.objects.count() == (4 if seen["200"] else 5)


def test_50_code_requests_send_one_sms(outbox: list[Message]) -> None:
    seen = outcomes(
        start_together(
            50,
            lambda i: APIClient().post(
                "/api/auth/request-code/", {"phone_number": ALICE}
            ),
        )
    )
    assert seen == {"200": 1, "throttled": 49}
    assert len(outbox) == 1


def test_20_new_people_get_20_invite_codes() -> None:
    people = start_together(20, lambda i: User.objects.create_user(f"+79990002{i:03}"))
    assert len({person.invite_code for person in people}) == 20


def test_one_of_simultaneous_corrections_and_activations_succeeds(
    alice: User, boris: User, clara: User, staff: User
) -> None:
    """Each decided on what it saw: that nobody had invited Boris."""

    def act(i: int) -> str:
        inviter = (alice, clara)[i // 2 % 2]
        if i % 2:
            body = {"invite_code": inviter.invite_code}
            answer = signed_in(boris).post("/api/profile/", body)
            return "activated" if answer.status_code == 200 else "refused"
        try:
            correct_inviter(
                invitee=boris, inviter=inviter, seen=":", reason="x", by=staff
            )
        except CorrectionOutdated:
            return "refused"
        return "corrected"

    found = Counter(start_together(8, act))
    winner = Referral.objects.get(invitee=boris)
    corrections = Correction.objects.filter(invitee=boris)
    assert found["corrected"] == corrections.count() <= 1
    assert all(row.code_after == winner.code_used for row in corrections)
    assert winner.code_used == winner.inviter.invite_code  # type: ignore[union-attr]
