"""Calls of the WSGI application itself: Django's test client makes requests past it."""

import subprocess
import sys
import zlib
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from config.server.application import Application
from conftest import ALICE

pytestmark = pytest.mark.django_db

CODE = "/api/auth/verify-code/"
BODY = f'{{"phone_number": "{ALICE}", "code": "1234"}}'.encode()
CSRF_TOKEN = "a" * 32
FIELD = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
FIELDS = {"csrfmiddlewaretoken": CSRF_TOKEN, "phone_number": ALICE}
FORM = "".join(FIELD.format(*field) for field in FIELDS.items()) + "--x--\r\n"
PATHS = [
    "/",
    "/login/?next=%D0%B1",
    "/api/referrals/?since=%D0%B1",
    "/api/schema/?x=%D0%B1",
    "/login/?invite=%5Cud800&next=%2B2AA-",
    "/healthz?x=%D0",
    "/static/style.css?x=%D0",
    "/nothing/?x=%D0",
]
UNUSABLE = [
    "charset=zlib",
    "charset=bz2",
    "charset=hex",
    "charset=rot13",
    "charset=undefined",
    "charset=punycode",
    "charset=idna",
    "charset=a\0b",
    "charset=\xff",
    "charset=",
    "charset*=foo''bar",
    "charset*=utf-8''%FF",
    "charset*=utf-8''zlib",
    "charset*=undefined''utf-8",
    "boundary*=foo''bar",
    # Text, but half of a pair of surrogates too, which no answer could contain.
    "charset=unicode_escape",
    "charset=raw_unicode_escape",
    "charset=utf-7",
]


@pytest.fixture(scope="module")
def application() -> WSGIHandler:
    return Application()


def call(
    application: WSGIHandler, method: str, path: str, kind: str, body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    environ = RequestFactory().generic(method, path, body).environ
    answer: dict[str, Any] = {}

    def start_response(status: str, headers: Any, _error: Any = None) -> Any:
        answer.update(status=int(status.split()[0]), headers=dict(headers))

    cookie = f"{settings.CSRF_COOKIE_NAME}={CSRF_TOKEN}"
    environ |= {
        "CONTENT_TYPE": kind,
        "HTTP_COOKIE": cookie,
        "wsgi.input": BytesIO(body),
    }
    response = application(environ, start_response)
    content = b"".join(response)
    response.close()
    return answer["status"], answer["headers"], content


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("parameter", UNUSABLE)
def test_no_charset_keeps_an_address_from_answering(
    application: WSGIHandler, path: str, parameter: str
) -> None:
    usual, _headers, content = call(application, "GET", path, "text/plain")
    status, headers, odd = call(application, "GET", path, f"text/plain; {parameter}")
    assert status == usual
    assert "X-Request-ID" in headers  # all middleware was reached
    assert len(odd) == len(content)


@pytest.mark.parametrize("parameter", UNUSABLE)
def test_json_is_utf8_if_its_charset_is_unusable(
    application: WSGIHandler, parameter: str
) -> None:
    kind = f"application/json; {parameter}"
    status, _headers, content = call(application, "POST", CODE, kind, BODY)
    assert (status, b"code_expired" in content) == (400, True)


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "windows-1251", "latin-1"])
def test_json_is_read_in_the_charset_that_it_names(
    application: WSGIHandler, charset: str
) -> None:
    kind = f"application/json; charset={charset}"
    body = BODY.decode().encode(charset)
    status, _headers, content = call(application, "POST", CODE, kind, body)
    assert (status, b"code_expired" in content) == (400, True)


@pytest.mark.parametrize(
    ("charset", "expected"),
    [("utf-8", 302), ("latin-1", 302), ("zlib", 400), ("undefined", 400)],
)
def test_a_multipart_form_is_read_or_refused(
    application: WSGIHandler, charset: str, expected: int
) -> None:
    """An unusable charset takes the boundary with it."""
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    status, _headers, _content = call(
        application, "POST", "/login/", kind, FORM.encode()
    )
    assert status == expected


def test_a_compressed_body_is_not_unpacked_as_a_charset(
    application: WSGIHandler,
) -> None:
    body = zlib.compress(BODY)
    kind = "application/json; charset=zlib"
    status, _headers, content = call(application, "POST", CODE, kind, body)
    assert (status, b"parse_error" in content) == (400, True)


@pytest.mark.slow
def test_the_server_runs_it() -> None:
    script = "from config.wsgi import application as a; print(type(a).__name__)"
    command = [sys.executable, "-c", script]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == "Application\n"
