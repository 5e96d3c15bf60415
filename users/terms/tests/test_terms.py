from typing import Any

import pytest
from django.conf import LazySettings
from django.core.checks import run_checks
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from conftest import (
    ALICE,
    BORIS,
    Clock,
    ask_for_code,
    error_of,
    open_session,
    signed_in,
)
from users.channels.memory import Message
from users.login.codes import LoginCode
from users.login.exceptions import CodeExpired
from users.models import TermsAcceptance, User
from users.terms.checks import terms_can_be_read_and_stored
from users.tests.pages import digits, text

PROFILE, TERMS = "/api/profile/", "/api/profile/terms/"
URL = "https://www.example.com/terms"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def terms_are_set(settings: LazySettings) -> LazySettings:
    settings.TERMS_VERSION = "2026-11"
    settings.TERMS_URL = URL
    return settings


def accepted() -> list[str]:
    return list(
        TermsAcceptance.objects.order_by("pk").values_list("version", flat=True)
    )


def page_sign_in(client: Client, outbox: list[Message], **form: str) -> Any:
    client.post("/login/", {"phone_number": BORIS})
    form = {"code": digits(outbox), **form}
    return client.post("/login/code/", form, follow=True)


def test_the_profile_names_the_current_and_the_accepted_version(
    alice: User, clock: Clock, terms_are_set: LazySettings
) -> None:
    client = signed_in(alice)
    current = {"version": "2026-11", "url": URL, "privacy_url": None}
    nothing = {"accepted_version": None, "accepted_at": None}
    assert client.get(PROFILE).json()["terms"] == {**current, **nothing}
    now = {"accepted_version": "2026-11", "accepted_at": "2026-11-21T12:00:00Z"}
    response = client.post(TERMS, {"version": "2026-11"})
    assert (response.status_code, response.json()) == (200, {**current, **now})
    terms_are_set.TERMS_VERSION, terms_are_set.PRIVACY_URL = (
        "2027-01",
        "https://example.com/privacy",
    )
    assert client.get(PROFILE).json()["terms"] == {
        "version": "2027-01",
        "url": URL,
        "privacy_url": "https://example.com/privacy",
        **now,
    }


def test_each_version_is_recorded_once(
    alice: User,
    records: list[dict[str, Any]],
    terms_are_set: LazySettings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    client = signed_in(alice)
    with django_capture_on_commit_callbacks(execute=True):
        for version in ("2026-11", "2027-01", "2026-11"):
            terms_are_set.TERMS_VERSION = version
            for _ in range(2):
                answer = client.post(TERMS, {"version": version})
                assert answer.json()["accepted_version"] == version
    assert accepted() == ["2026-11", "2027-01"]
    told = [record for record in records if record["event"] == "terms.accepted"]
    assert [record["version"] for record in told] == ["2026-11", "2027-01"]
    with pytest.raises(IntegrityError), transaction.atomic():
        TermsAcceptance.objects.create(user=alice, version="2026-11")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"version": "2025-01"}, 409, "terms_version_outdated"),
        ({"version": "x" * 51}, 400, "max_length"),
        ({"version": ""}, 400, "blank"),
        ({}, 400, "required"),
    ],
)
def test_another_version_is_refused(
    alice: User, body: dict[str, str], status: int, code: str
) -> None:
    response = signed_in(alice).post(TERMS, body)
    assert response.status_code == status
    error = error_of(response)
    assert (error["code"], error["attr"]) == (code, "version")
    assert accepted() == []


def test_nothing_is_refused_to_apps_that_do_not_know_terms(api: APIClient) -> None:
    body = {"phone_number": ALICE, "code": ask_for_code(api, ALICE)}
    answer = api.post("/api/auth/verify-code/", body)
    assert answer.status_code == 200
    api.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert api.patch(PROFILE, {"first_name": "Alice"}).status_code == 200
    assert accepted() == []


def test_a_sign_in_on_the_page_accepts_what_the_page_showed(
    client: Client, outbox: list[Message]
) -> None:
    said = "By signing in, you accept the terms ."
    assert said in text(client.get("/login/"))
    client.post("/login/", {"phone_number": BORIS})
    page = client.get("/login/code/")
    assert said in text(page)
    assert f'href="{URL}"' in page.content.decode()
    assert 'name="terms_version" value="2026-11"' in page.content.decode()
    form = {"code": digits(outbox), "terms_version": "2026-11"}
    assert "Accept" not in text(client.post("/login/code/", form, follow=True))
    assert accepted() == ["2026-11"]


def test_a_sign_in_that_fails_accepts_nothing(
    client: Client, outbox: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another request has spent the code, which is noticed after the acceptance."""
    accepted_before: list[str] = []

    def spend(code: LoginCode) -> None:
        accepted_before.extend(accepted())
        raise CodeExpired

    monkeypatch.setattr(LoginCode, "spend", spend)
    page = page_sign_in(client, outbox, terms_version="2026-11")
    assert page.status_code == 400
    assert str(CodeExpired.text) in text(page)
    assert accepted_before == ["2026-11"]
    assert accepted() == []


@pytest.mark.parametrize("shown", ["2025-01", "", "\x00", "x" * 100])
def test_a_sign_in_by_an_old_page_accepts_nothing(
    client: Client, outbox: list[Message], shown: str
) -> None:
    page = page_sign_in(client, outbox, terms_version=shown)
    assert "Please read and accept the current terms ." in text(page)
    assert accepted() == []


def test_the_profile_page_asks_until_the_terms_are_accepted(
    client: Client, alice: User
) -> None:
    open_session(client, alice)
    page = client.get("/profile/")
    assert "Please read and accept the current terms" in text(page)
    assert 'name="terms_version" value="2026-11"' in page.content.decode()
    old = client.post("/profile/terms/", {"terms_version": "2025-01"}, follow=True)
    assert "The terms have changed." in text(old)
    assert accepted() == []
    form = {"terms_version": "2026-11"}
    page = client.post("/profile/terms/", form, follow=True)
    assert "You have accepted the terms." in text(page)
    assert "Please read and accept the current terms" not in text(page)
    assert accepted() == ["2026-11"]


def test_a_link_accepts_nothing(client: Client, alice: User) -> None:
    open_session(client, alice)
    url = "/profile/terms/?terms_version=2026-11"
    assert client.get(url).status_code == 405
    assert accepted() == []


def test_support_sees_what_was_accepted(admin: Client, alice: User) -> None:
    page = f"/admin/users/user/{alice.pk}/change/"
    assert "Accepted terms" not in text(admin.get(page))
    signed_in(alice).post(TERMS, {"version": "2026-11"})
    assert "Accepted terms 2026-11, " in text(admin.get(page))


def test_a_deleted_account_takes_its_acceptances_along(alice: User) -> None:
    client = signed_in(alice)
    client.post(TERMS, {"version": "2026-11"})
    assert client.delete(PROFILE).status_code == 204
    assert accepted() == []


def test_without_a_version_nothing_is_shown_and_nothing_accepted(
    client: Client, outbox: list[Message], terms_are_set: LazySettings
) -> None:
    terms_are_set.TERMS_VERSION = ""
    assert "terms" not in text(client.get("/login/"))
    page = page_sign_in(client, outbox, terms_version="2026-11")
    assert "terms" not in text(page)
    boris = signed_in(User.objects.get())
    assert "terms" not in boris.get(PROFILE).json()
    answer = boris.post(TERMS, {"version": "2026-11"})
    assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")
    assert accepted() == []


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("TERMS_URL", "", "config.E060"),
        ("TERMS_VERSION", "x" * 51, "config.E061"),
        ("TERMS_URL", "www.example.com", "config.E062"),
        ("PRIVACY_URL", "javascript:alert(1)", "config.E062"),
    ],
)
def test_terms_that_nobody_could_read_or_store_refuse_to_start(
    terms_are_set: LazySettings, name: str, value: str, error: str
) -> None:
    assert terms_can_be_read_and_stored() == []
    setattr(terms_are_set, name, value)
    assert error in {found.id for found in run_checks()}
