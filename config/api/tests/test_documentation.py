"""The schema and the pages that show it: built once, cacheable, and never a 500."""

import gzip
import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from config.api import documentation

SCHEMA = "/api/schema/"
JSON = "application/json"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/vnd.oai.openapi; charset=utf-8"),
        ("application/yaml", "application/yaml; charset=utf-8"),
        (JSON, JSON),
        ("application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json"),
    ],
)
def test_accept_chooses_yaml_or_json(accept: str, content_type: str) -> None:
    response = APIClient().get(SCHEMA, headers={"Accept": accept})
    assert response.status_code == 200
    assert response["Content-Type"] == content_type
    suffix = "json" if "json" in accept else "yaml"
    assert response["Content-Disposition"] == (
        f'inline; filename="Referral API.{suffix}"'
    )
    assert response.content.startswith(b"{" if suffix == "json" else b"openapi: 3")


@pytest.mark.parametrize(
    ("query", "headers", "is_russian"),
    [
        ("", {}, False),
        ("", {"Accept-Language": "ru"}, True),
        ("", {"Cookie": "django_language=ru"}, True),
        ("?lang=ru", {"Accept-Language": "en"}, True),
        ("?lang=en", {"Accept-Language": "ru"}, False),
        ("?lang=ru-RU", {}, True),
        ("?lang=zz", {}, False),
    ],
)
def test_the_schema_is_in_the_language_of_the_reader(
    query: str, headers: dict[str, str], is_russian: bool
) -> None:
    response = Client(headers={"Accept": JSON, **headers}).get(SCHEMA + query)
    assert ("Пользователь входит" in str(response.json())) is is_russian
    varied = {name.strip() for name in response["Vary"].split(",")}
    assert varied == {"Accept", "Accept-Encoding", "Accept-Language", "Cookie"}


def test_the_schema_is_built_once_for_all_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built = []
    build = SchemaGenerator.get_schema

    def count(self: Any, **kwargs: Any) -> Any:
        built.append(1)
        return build(self, **kwargs)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(SchemaGenerator, "get_schema", count)
    documentation._document.cache_clear()
    for query in ("", "?lang=en", "?lang=de", "?version=2", "?x=1", ""):
        APIClient().get(SCHEMA + query, headers={"Accept": JSON})
    assert len(built) == 1


def test_the_schema_may_be_cached_and_asked_for_again() -> None:
    client = APIClient()
    first = client.get(SCHEMA)
    assert first["Cache-Control"] == "public, max-age=300"
    again = client.get(SCHEMA, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert again["Cache-Control"] == first["Cache-Control"]
    russian = client.get(f"{SCHEMA}?lang=ru", headers={"If-None-Match": first["ETag"]})
    assert russian.status_code == 200


def test_the_schema_is_packed_for_clients_that_take_gzip() -> None:
    plain = APIClient().get(SCHEMA, headers={"Accept": JSON})
    headers = {"Accept": JSON, "Accept-Encoding": "gzip, br"}
    packed = APIClient().get(SCHEMA, headers=headers)
    assert packed["Content-Encoding"] == "gzip"
    assert not plain.has_header("Content-Encoding")
    assert gzip.decompress(packed.content) == plain.content
    assert json.loads(plain.content)["openapi"].startswith("3.")


ODD = ["%00", "%0d%0aX:1", "x" * 3000, "../../etc", "ru%00", "%ff", "json", "\u0661"]
NAMES = ["lang", "version", "format", "script", "url"]
ACCEPTS = ["*/*", "text/html", JSON, "x", "/", ";;", "*/*;q=x", "a/b;indent=9e9", "é"]
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PROPFIND"]


@pytest.mark.parametrize("path", [SCHEMA, "/redoc/", "/swagger/"])
@pytest.mark.parametrize("method", METHODS)
def test_no_query_and_no_header_is_an_error_of_ours(path: str, method: str) -> None:
    queries = [f"?{name}={value}" for name in NAMES for value in ODD]
    requests = [(query, "*/*", query[-40:]) for query in queries]
    requests += [("?lang=ru", accept, accept) for accept in ACCEPTS]
    for query, accept, language in requests:
        headers = {"Accept": accept, "Accept-Language": language}
        response = Client().generic(method, path + query, headers=headers)
        assert response.status_code < 500, (query, accept)


@pytest.mark.parametrize("path", ["/redoc/", "/swagger/"])
def test_options_of_a_page_lists_its_methods(path: str) -> None:
    response = Client().options(path)
    assert response.status_code == 200
    assert response["Allow"] == "GET, HEAD, OPTIONS"
    assert response.content == b""


def test_the_schema_asks_neither_database_nor_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise AssertionError

    for name in ("get", "add", "set", "incr"):
        monkeypatch.setattr(cache, name, fail)
    assert Client().get(SCHEMA).status_code == 200  # and no `db` fixture here
