"""Numbers with a fixed code: where they work, where they do not, how long."""

from datetime import date

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, STAFF, Clock, ask_for_code, error_of, signed_in
from tests.lab.shared import wrong
from users.channels.memory import Message
from users.login import fixed_codes
from users.models import User

REQUEST, VERIFY = "/api/auth/request-code/", "/api/auth/verify-code/"
CODE = "12345678"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def listed(settings: LazySettings, clock: Clock) -> None:
    settings.TEST_NUMBERS = [f"{ALICE}:{CODE}:2026-11-22", f"{STAFF}:4321:2026-11-22"]


def request(api: APIClient, phone_number: str = ALICE) -> dict[str, object]:
    response = api.post(REQUEST, {"phone_number": phone_number})
    assert response.status_code == 200
    body: dict[str, object] = response.json()
    return body


def verify(api: APIClient, code: str = CODE, phone_number: str = ALICE) -> str:
    """200, or why not."""
    response = api.post(VERIFY, {"phone_number": phone_number, "code": code})
    return "200" if response.status_code == 200 else error_of(response)["code"]


def test_a_test_number_signs_in_without_an_sms(
    api: APIClient, outbox: list[Message]
) -> None:
    assert request(api)["code_length"] == 8
    assert verify(api) == "200"
    assert outbox == []


def test_its_code_is_shown_no_more_than_any_other(
    api: APIClient, settings: LazySettings
) -> None:
    settings.SHOW_LOGIN_CODES = False
    assert "dev_code" not in request(api)


def test_its_code_is_worth_nothing_before_it_is_asked_for(api: APIClient) -> None:
    assert verify(api) == "code_expired"


def test_its_code_signs_in_once_for_each_request(api: APIClient, clock: Clock) -> None:
    request(api)
    assert [verify(api), verify(api)] == ["200", "code_expired"]
    clock.pass_seconds(60)
    request(api)
    assert verify(api) == "200"


def test_its_code_expires(api: APIClient, clock: Clock) -> None:
    request(api)
    clock.pass_seconds(300)
    assert verify(api) == "code_expired"


def test_wrong_guesses_count(api: APIClient) -> None:
    request(api)
    guesses = [verify(api, wrong(CODE)) for _ in range(6)]
    assert guesses == ["code_incorrect"] * 5 + ["throttled"]
    assert verify(api) == "throttled"


def test_another_number_is_an_ordinary_one(
    api: APIClient, outbox: list[Message]
) -> None:
    request(api, BORIS)
    assert verify(api, CODE, BORIS) == "code_incorrect"
    assert verify(api, outbox[0].text[:4], BORIS) == "200"


def test_a_test_number_works_until_the_end_of_its_last_day(
    api: APIClient, clock: Clock, outbox: list[Message]
) -> None:
    clock.pass_seconds(36 * 3600 - 2)  # 2026-11-22T23:59:58
    request(api)
    clock.pass_seconds(1)
    assert verify(api) == "200"
    clock.pass_seconds(60)
    request(api)
    assert len(outbox) == 1
    assert verify(api) == "code_incorrect"
    assert verify(api, outbox[0].text[:4]) == "200"


def test_a_code_asked_for_before_the_end_ends_with_the_day(
    api: APIClient, clock: Clock, outbox: list[Message]
) -> None:
    clock.pass_seconds(36 * 3600 - 1)
    request(api)
    clock.pass_seconds(1)
    assert verify(api) == "code_incorrect"
    clock.pass_seconds(60)
    request(api)  # not the code that lives: its digits are nobody's now
    assert verify(api, outbox[0].text[:4]) == "200"


def test_a_living_ordinary_code_stays_what_it_is(
    api: APIClient, settings: LazySettings
) -> None:
    settings.TEST_NUMBERS = []
    code = ask_for_code(api, ALICE)
    settings.TEST_NUMBERS = [f"{ALICE}:{CODE}:2026-11-22"]
    assert verify(api) == "code_incorrect"
    assert verify(api, code) == "200"


def test_a_fixed_code_opens_no_staff_account(
    api: APIClient, staff: User, outbox: list[Message]
) -> None:
    request(api, STAFF)
    assert verify(api, "4321", STAFF) == "code_expired"
    assert outbox == []


def test_a_fixed_code_fails_once_the_user_is_staff(api: APIClient) -> None:
    user = User.objects.create_user(STAFF)
    request(api, STAFF)
    user.is_staff = True
    user.save()
    assert verify(api, "4321", STAFF) == "code_expired"


def test_staff_of_other_numbers_sign_in(
    api: APIClient, staff: User, settings: LazySettings, outbox: list[Message]
) -> None:
    settings.TEST_NUMBERS = []
    request(api, STAFF)
    assert verify(api, outbox[0].text[:4], STAFF) == "200"


def test_no_fixed_code_is_kept(api: APIClient) -> None:
    request(api)
    kept = [str(cache.get(key)) for key in _keys() if "login-code" in key]
    assert kept
    assert not any(CODE in value for value in kept)


def _keys() -> list[str]:
    if hasattr(cache, "keys"):
        return list(cache.iter_keys("*"))  # type: ignore[attr-defined]  # django-redis
    return [key.split(":", 2)[2] for key in cache._cache]  # type: ignore[attr-defined]


def test_the_inviter_is_shown_masked() -> None:
    number = fixed_codes.FixedCode(ALICE, CODE, date(2027, 1, 31))
    assert str(number) == "+7999•••••01 until 2027-01-31"


@pytest.mark.parametrize(
    "entry",
    [
        ALICE,
        f"{ALICE}:1234",
        f"{ALICE}:123:2027-01-31",
        f"{ALICE}:123456789:2027-01-31",
        f"{ALICE}:12a4:2027-01-31",
        f"{ALICE}:١٢٣٤:2027-01-31",
        f"{ALICE}:1234:2027-02-31",
        f"{ALICE}:1234:",
        "89990000001:1234:2027-01-31",
        "+7999:1234:2027-01-31",
        f"{ALICE}:1234:2027-01-31,",
    ],
)
def test_a_bad_entry_is_refused_without_showing_it(entry: str) -> None:
    with pytest.raises(ValueError, match="entry 1 is not like") as refusal:
        fixed_codes.parse([entry])
    assert ALICE not in str(refusal.value).replace("+79990000001:12345678", "")


def test_too_many_and_the_same_twice_are_refused() -> None:
    entries = [f"+799900000{place}:1234:2027-01-31" for place in range(10, 21)]
    assert len(fixed_codes.parse(entries[:10])) == 10
    with pytest.raises(ValueError, match="11 are too many"):
        fixed_codes.parse(entries)
    with pytest.raises(ValueError, match="twice"):
        fixed_codes.parse([f"{ALICE}:1234:2027-01-31", f"{ALICE}:5678:2027-01-31"])


def test_its_code_does_not_move_an_account_to_it(
    boris: User, outbox: list[Message]
) -> None:
    body = {"phone_number": ALICE}
    assert (
        signed_in(boris).post("/api/profile/phone/request-code/", body).status_code
        == 200
    )
    assert [sms.phone_number for sms in outbox] == [BORIS, ALICE]
    assert not any(CODE in sms.text for sms in outbox)
