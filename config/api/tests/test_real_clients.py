"""Requests as real clients send them: chunked, packed, with odd headers and methods."""

import gzip
import zlib
from io import BytesIO
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.http import HttpResponse
from django.test import Client, RequestFactory
from gunicorn.http.errors import (  # type: ignore[import-untyped]  # ships no types
    InvalidChunkSize,
    NoMoreData,
)
from rest_framework.test import APIClient

from config.server.head import HeadMiddleware
from conftest import ALICE, error_of
from tests.project.test_access import TABLE

CODE = "/api/auth/verify-code/"
JSON = "application/json"
BODY = f'{{"phone_number": "{ALICE}", "code": "1234"}}'.encode()
FORM = "application/x-www-form-urlencoded"


class Broken(BytesIO):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def read(self, size: int | None = -1) -> bytes:
        raise self.error


def send(path: str, body: Any, kind: str, **extra: Any) -> Any:
    return APIClient().generic("POST", path, body, content_type=kind, **extra)


def chunked(path: str, body: bytes | BytesIO, kind: str = JSON, **extra: Any) -> Any:
    """As gunicorn hands it over: decoded, without a length."""
    stream = body if isinstance(body, BytesIO) else BytesIO(body)
    environ = {
        "CONTENT_LENGTH": "",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": stream,
        "wsgi.input_terminated": True,
        **extra,
    }
    return send(path, b"", kind, **environ)


@pytest.mark.django_db
def test_a_chunked_body_is_read() -> None:
    assert error_of(chunked(CODE, BODY))["code"] == "code_expired"


@pytest.mark.django_db
def test_a_chunked_form_is_read() -> None:
    response = chunked("/language/setlang/", b"language=ru&next=/i/", FORM)
    assert response.status_code == 302
    assert response.cookies[settings.LANGUAGE_COOKIE_NAME].value == "ru"
    assert chunked("/login/", b"phone_number=%2B79990000001", FORM).status_code == 302


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(("extra", "status"), [(0, 400), (1, 413)])
@pytest.mark.django_db
def test_a_chunked_body_above_the_limit_is_refused(
    settings: LazySettings, debug: bool, extra: int, status: int
) -> None:
    settings.DEBUG = debug
    size = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + extra
    response = chunked(CODE, BODY.rjust(size))
    assert response.status_code == status
    code = {400: "code_expired", 413: "request_too_large"}[status]
    assert error_of(response)["code"] == code
    response = chunked("/login/", b"phone_number=1&x=".ljust(size, b"x"), FORM)
    assert response.status_code == status
    assert "<h1>" in response.content.decode()


@pytest.mark.parametrize("error", [InvalidChunkSize(b"zz"), NoMoreData()])
def test_malformed_chunks_are_refused(error: Exception) -> None:
    response = chunked(CODE, Broken(error))
    assert response.status_code == 400
    assert error_of(response)["code"] == "bad_request"


def test_a_length_beside_chunks_is_refused() -> None:
    response = chunked(CODE, BODY, CONTENT_LENGTH=str(len(BODY)))
    assert response.status_code == 400
    assert error_of(response)["code"] == "bad_request"


PACKED = [
    ("gzip", gzip.compress(BODY, mtime=0)),
    ("deflate", zlib.compress(BODY)),
    ("br", b"\x0b\x02\x80"),
    ("GZIP, br", b"x"),
]


@pytest.mark.parametrize(("coding", "body"), PACKED)
def test_compressed_bodies_are_refused_by_name(coding: str, body: bytes) -> None:
    headers = {"Content-Encoding": coding}
    response = send(CODE, body, JSON, headers=headers)
    assert response.status_code == 415
    assert error_of(response)["code"] == "unsupported_media_type"
    assert "Compressed bodies are not accepted" in error_of(response)["detail"]
    page = send("/login/", body, FORM, headers=headers)
    assert page.status_code == 415
    assert "<h1>" in page.content.decode()


@pytest.mark.parametrize("length", ["", "0", None])
def test_a_coding_without_a_body_is_ignored(length: str | None) -> None:
    """nginx's auth_request passes on all headers of an upload, but not the body."""
    environ: Any = {} if length is None else {"CONTENT_LENGTH": length}
    headers = {"Content-Encoding": "gzip"}
    response = APIClient().get("/healthz", headers=headers, **environ)
    assert response.status_code == 200


def test_compressed_chunks_are_refused_by_name() -> None:
    body = gzip.compress(BODY, mtime=0)
    response = chunked(CODE, body, HTTP_CONTENT_ENCODING="gzip")
    assert response.status_code == 415
    assert "Compressed bodies are not accepted" in error_of(response)["detail"]


@pytest.mark.parametrize("coding", ["gzip, chunked", "identity, chunked", "identity"])
def test_transfer_codings_other_than_chunked_are_refused_by_name(coding: str) -> None:
    headers = {"Content-Encoding": "gzip"}
    environ = {"HTTP_TRANSFER_ENCODING": coding}
    for response in (
        chunked(CODE, BODY, **environ),
        chunked(CODE, BODY, headers=headers, **environ),
    ):
        assert response.status_code == 400
        error = error_of(response)
        assert error["code"] == "bad_request"
        assert error["detail"] == "Only Transfer-Encoding: chunked is understood."
    page = chunked("/login/", BODY, FORM, **environ)
    assert page.status_code == 400
    assert "<h1>" in page.content.decode()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json; charset=utf-8", BODY),
        ('application/json; charset="utf-8"', BODY),
        ("application/json;charset=UTF8", BODY),
        ("APPLICATION/JSON", BODY),
        ("application/json; charset=latin-1", BODY),
        ("application/json; charset=nonsense", BODY),
        ("application/json; charset=utf-16", BODY.decode().encode("utf-16")),
        ("application/json", b"\xef\xbb\xbf" + BODY),
        ("application/json; charset=utf-8", b"\xef\xbb\xbf" + BODY),
    ],
)
@pytest.mark.django_db
def test_json_is_read_in_any_encoding(kind: str, body: bytes) -> None:
    response = send(CODE, body, kind)
    assert error_of(response)["code"] == "code_expired"


@pytest.mark.parametrize("kind", ["", "application/vnd.api+json", FORM])
def test_other_types_are_refused(kind: str) -> None:
    response = send(CODE, BODY, kind)
    assert response.status_code == 415
    assert error_of(response)["code"] == "unsupported_media_type"


@pytest.mark.parametrize("language", [";;q=,,*;q=x", "\xff\xfe", "ru-x-" * 300, "*"])
@pytest.mark.django_db
def test_odd_languages_are_no_error(language: str) -> None:
    headers = {"Accept-Language": language}
    response = send(CODE, BODY, JSON, headers=headers)
    assert error_of(response)["code"] == "code_expired"


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_is_never_lost_in_a_redirect_to_the_slash(
    settings: LazySettings, debug: bool, method: str
) -> None:
    settings.DEBUG = debug
    settings.ALLOWED_HOSTS = ["testserver"]
    assert Client().generic(method, "/login", b"a=b", FORM).status_code == 404
    assert Client().get("/login").status_code == 301


METHODS = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "POST", "FOO"]
PATHS = sorted({path for _, path in TABLE} | {"/nothing/", "/api/nothing/"})


@pytest.mark.slow
@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore:No directory at")
def test_no_method_is_an_error_of_ours(
    settings: LazySettings, path: str, accept: str
) -> None:
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["testserver"]
    is_api = path.startswith(("/api/", "/.well-known/jwks"))
    is_api = is_api or path[1:] in settings.PROBE_PATHS
    for method in METHODS:
        client = APIClient(enforce_csrf_checks=True, headers={"Accept": accept})
        response = client.generic(method, path)
        assert response.status_code < 500, method
        if response.status_code < 400 or method == "HEAD":
            continue
        if is_api:
            assert response["Content-Type"] == JSON, method
            assert response.json()["errors"][0]["code"]
        else:
            assert "<h1>" in response.content.decode(), method


@pytest.mark.parametrize("path", ["/healthz", "/login/", "/api/profile/"])
def test_head_has_the_length_of_get_and_no_body(path: str) -> None:
    """gunicorn logs a warning for each body, which Django's test client hides."""
    get = Client().get(path)
    request = RequestFactory().head(path)
    response = HeadMiddleware(lambda request: HttpResponse(get.content))(request)
    assert response.content == b""
    assert response["Content-Length"] == str(len(get.content))
    assert Client().head(path).status_code == get.status_code
