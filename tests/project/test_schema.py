"""The schema is valid, and as complete as it claims to be."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import validate

from config.api.error_handling import status_of
from config.refusals import LimitReached, Refusal

METHODS = {"get", "post", "patch", "put", "delete"}


def generate() -> dict[str, Any]:
    generator: Any = SchemaGenerator
    generated: dict[str, Any] = generator().get_schema(request=None, public=True)
    return generated


schema = cache(generate)


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in schema()["paths"].items():
        for method in METHODS & set(item):
            yield f"{method.upper()} {path}", item[method]


def test_schema_is_valid_openapi() -> None:
    validate(schema())


def test_schema_builds_without_warnings() -> None:
    with GENERATOR_STATS.silence():
        GENERATOR_STATS.reset()
        generate()
        assert not GENERATOR_STATS


def test_every_operation_is_told_in_words() -> None:
    tags = {tag["name"] for tag in schema()["tags"]}
    for name, operation in operations():
        assert operation["summary"], name
        assert set(operation["tags"]) <= tags, name


def test_every_request_and_answer_has_an_example() -> None:
    for name, operation in operations():
        bodies = dict(operation["responses"])
        if "requestBody" in operation:
            bodies["request"] = operation["requestBody"]
        for status, body in bodies.items():
            for media in body.get("content", {}).values():
                assert media.get("examples"), (name, status)


def test_every_answer_says_what_it_means() -> None:
    for name, operation in operations():
        for status, body in operation["responses"].items():
            assert body["description"], (name, status)


def test_every_named_refusal_is_in_the_schema() -> None:
    text = str(schema())
    for refusal in _leaves(Refusal):
        assert f"'{refusal.code}'" in text, refusal
        assert f"'{refusal.__name__}': " in text, f"no example of {refusal}"


def test_every_429_and_503_is_a_refusal_with_a_time_to_wait() -> None:
    for refusal in _leaves(Refusal):
        if status_of(refusal) in {429, 503}:
            assert refusal.sample().wait, refusal


@pytest.mark.parametrize("path", ["/redoc/", "/swagger/"])
def test_documentation_needs_no_other_host(client: Any, path: str) -> None:
    body = client.get(path).content.decode()
    assert "/static/" in body
    assert not re.findall(r'(?:src|href)="(?:\w+:)?//[^"]*', body)


def _leaves(refusal: type[Refusal]) -> Iterator[type[Refusal]]:
    children = refusal.__subclasses__()
    if not children or refusal is LimitReached:
        yield refusal
    for child in children:
        yield from _leaves(child)
