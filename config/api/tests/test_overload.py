import json
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import Mock

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLResolver, get_resolver

from config.api import overload
from config.server.request_queue import Kind
from users.staff.permissions import IsStaff


@pytest.fixture
def too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def slot(kind: Kind) -> Iterator[bool]:
        yield False

    monkeypatch.setattr(overload, "slot", slot)


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> list[Kind]:
    seen: list[Kind] = []

    @contextmanager
    def slot(kind: Kind) -> Iterator[bool]:
        seen.append(kind)
        yield True

    monkeypatch.setattr(overload, "slot", slot)
    return seen


@pytest.mark.usefixtures("too_late")
def test_a_request_that_waited_too_long_is_told_when_to_try_again(
    client: Client,
) -> None:
    answer = client.get("/api/profile/", headers={"Accept-Language": "en"})
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert answer["X-Request-ID"]
    text = "The service is not available right now. Try again shortly."
    error = {"code": "service_unavailable", "detail": text, "attr": None}
    assert json.loads(answer.content) == {"type": "server_error", "errors": [error]}


@pytest.mark.usefixtures("too_late")
def test_a_page_that_waited_too_long_is_a_page_in_the_person_s_language(
    client: Client,
) -> None:
    answer = client.get("/", headers={"Accept-Language": "ru"})
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert '<html lang="ru"' in answer.content.decode()


@pytest.mark.usefixtures("too_late")
def test_healthz_does_not_wait(client: Client) -> None:
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/api/profile/", Kind.READ),
        ("HEAD", "/", Kind.READ),
        ("POST", "/api/auth/verify-code/", Kind.WRITE),
        ("GET", "/readyz", Kind.STAFF),
        ("GET", "/metrics", Kind.STAFF),
        ("POST", "/admin/login/", Kind.STAFF),
        ("GET", "/api/users/", Kind.STAFF),
    ],
)
def test_each_kind_of_request_has_its_queue(
    kinds: list[Kind], method: str, path: str, kind: Kind
) -> None:
    answer = overload.RequestQueueMiddleware(lambda request: HttpResponse())
    answer(RequestFactory().generic(method, path))
    assert kinds == [kind]


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, object]]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route)
        else:
            yield route, getattr(pattern.callback, "cls", None)


def test_the_whole_staff_api_has_the_queue_of_staff() -> None:
    staff = [
        route
        for route, view in routes(get_resolver())
        if IsStaff in getattr(view, "permission_classes", [])
    ]
    assert len(staff) == 4
    assert all(f"/{route}".startswith(overload.PRIORITY_PATHS) for route in staff)


def test_a_body_is_read_before_the_turn(kinds: list[Kind]) -> None:
    """A client that sends its body slowly holds no slot."""
    request = RequestFactory().post("/api/x/")
    request.META["CONTENT_LENGTH"] = "2"

    def read(*args: object) -> bytes:
        assert kinds == []
        raise OSError

    request._stream = Mock(read=read, seekable=lambda: False)
    answer = overload.RequestQueueMiddleware(Mock(side_effect=AssertionError))
    assert answer(request).status_code == 400
    assert kinds == []


@pytest.mark.usefixtures("kinds")
def test_nothing_is_done_for_a_client_that_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(overload, "client_is_gone", lambda sock: True)
    view = Mock()
    request = RequestFactory().get("/", **{"gunicorn.socket": Mock()})
    assert overload.RequestQueueMiddleware(view)(request).status_code == 499
    view.assert_not_called()


@pytest.mark.parametrize("path", ["/login/", "/api/profile/", "/admin/login/"])
def test_a_form_with_a_large_file_is_refused_unread(
    kinds: list[Kind], path: str
) -> None:
    """Django would read the file while it parses the form, from within a slot."""
    form = RequestFactory().post(path, headers={"Accept-Language": "ru"})
    form.META["CONTENT_TYPE"] = "multipart/form-data; boundary=b"
    form.META["CONTENT_LENGTH"] = "70000"
    form._stream = Mock(read=Mock(side_effect=AssertionError))
    refused = overload.RequestQueueMiddleware(Mock(side_effect=AssertionError))(form)
    assert refused.status_code == 413
    assert kinds == []
