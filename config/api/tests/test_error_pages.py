"""The handlers that Django calls itself, for the API and for pages."""

import json
from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from config.api import error_pages

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
