"""The handlers that Django calls itself, for the API and for pages."""

import json
from collections.abc import Callable

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from config.api import error_pages
from config.monitoring.logs import request_id
from config.refusals import LimitReached

ERROR = Exception("secret")


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (lambda r: error_pages.bad_request(r, ERROR), 400, "bad_request"),
        (lambda r: error_pages.permission_denied(r, ERROR), 403, "permission_denied"),
        (lambda r: error_pages.page_not_found(r, ERROR), 404, "not_found"),
        (error_pages.server_error, 500, "error"),
    ],
)
def test_the_api_gets_json_and_others_a_page(
    rf: RequestFactory, answer: Callable[..., HttpResponse], status: int, code: str
) -> None:
    for_api, for_people = answer(rf.get("/api/x/")), answer(rf.get("/x/"))
    assert for_api.status_code == for_people.status_code == status
    assert json.loads(for_api.content)["errors"][0]["code"] == code
    assert b"<h1>" in for_people.content
    assert b"secret" not in for_api.content + for_people.content


def refused_page(request: HttpRequest, wait: int) -> HttpResponse:
    middleware = error_pages.PageErrorMiddleware(lambda request: HttpResponse())
    refusal = LimitReached(limit="lookups_per_address", wait=wait)
    page = middleware.process_exception(request, refusal)
    assert page
    return page


def test_a_limit_says_for_how_long(rf: RequestFactory) -> None:
    page = refused_page(rf.get("/i/7K9QXT/"), 600)
    assert page["Retry-After"] == "600"
    assert "Try again in 10 minutes." in page.content.decode()
    assert '<a class="button wide" href="/i/7K9QXT/">Try again</a>' in (
        page.content.decode()
    )


def test_after_an_outage_one_may_try_again(rf: RequestFactory) -> None:
    middleware = error_pages.PageErrorMiddleware(lambda request: HttpResponse())
    page = middleware.process_exception(rf.get("/profile/"), OperationalError())
    assert page
    assert page.status_code == 503
    assert "Try again in 5 seconds." in page.content.decode()
    assert 'href="/profile/">Try again' in page.content.decode()


@pytest.mark.parametrize(
    ("referer", "way_back"),
    [
        ("http://testserver/login/?next=/profile/", "/login/?next=/profile/"),
        ("http://evil.example/login/", "/"),
        ("javascript:alert(1)", "/"),
        ("http://testserver//evil.example/x", "/"),
        ("http://testserver///evil.example/x", "/"),
        ("http://testserver/\\evil.example/x", "/"),
        ("http://testserver?x", "/"),
        ("http://[", "/"),
        ("", "/"),
    ],
)
def test_a_form_is_tried_again_from_its_page(
    rf: RequestFactory, referer: str, way_back: str
) -> None:
    headers = {"Referer": referer, "Host": "testserver"}
    page = refused_page(rf.post("/login/invite/", headers=headers), 5)
    assert f'href="{way_back}">Try again' in page.content.decode()


def test_a_path_that_is_another_site_in_a_link_is_not_tried_again(
    rf: RequestFactory,
) -> None:
    request = rf.get("/")
    request.path = "//evil.example/"  # as it comes from gunicorn
    assert 'href="/">Try again' in refused_page(request, 5).content.decode()


def test_a_failure_shows_the_id_of_its_request(rf: RequestFactory) -> None:
    reset = request_id.set("0123456789abcdef")
    try:
        page = error_pages.server_error(rf.get("/x/"))
    finally:
        request_id.reset(reset)
    assert "0123456789abcdef" in page.content.decode()
    page = error_pages.page_not_found(rf.get("/x/"), ERROR)
    assert "name this request" not in page.content.decode()


def test_error_pages_can_be_read_in_another_language(client: Client) -> None:
    page = client.get("/nowhere/?x=1")
    assert page.status_code == 404
    assert 'name="next" value="/nowhere/?x=1"' in page.content.decode()
    assert client.cookies["csrftoken"].value
    body = {"language": "ru", "next": "/nowhere/?x=1"}
    page = client.post("/language/setlang/", body, follow=True)
    assert page.redirect_chain == [("/nowhere/?x=1", 302)]
    assert "Не найдено" in page.content.decode()
