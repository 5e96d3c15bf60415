import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from django.utils.module_loading import import_string
from pytest_django import DjangoAssertNumQueries

from conftest import signed_in
from users.models import User

SKIPPED = [
    path for path in settings.MIDDLEWARE if import_string(path).__name__ == "ForPages"
]


def test_the_middleware_of_pages_is_known() -> None:
    assert [path.rpartition(".")[2] for path in SKIPPED] == [
        "SessionMiddleware",
        "AuthenticationMiddleware",
        "DeviceMiddleware",
        "OTPMiddleware",
        "MessageMiddleware",
    ]


@pytest.mark.parametrize("path", SKIPPED)
def test_it_does_nothing_for_the_api(path: str) -> None:
    request = RequestFactory().get("/api/profile/")
    before = set(vars(request))
    answer = object()
    assert import_string(path)(lambda _request: answer)(request) is answer
    assert set(vars(request)) == before


@pytest.mark.django_db
def test_the_api_reads_no_session(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    api = signed_in(alice)
    api.cookies[settings.SESSION_COOKIE_NAME] = "any"
    with django_assert_num_queries(2):  # the token; the referrals
        assert api.get("/api/profile/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/profile/", "/api/nothing/", "/api/schema/"])
def test_answers_of_the_api_may_load_and_frame_nothing(
    client: Client, path: str
) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]
    assert policy == "default-src 'none'; frame-ancestors 'none'"


def test_pages_have_their_own_policy(client: Client) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
