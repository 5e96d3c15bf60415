"""The schema is valid, and as complete as it claims to be."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.conf import settings
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from config.api.error_handling import status_of
from config.refusals import LimitReached, Refusal

METHODS = {"get", "post", "patch", "put", "delete"}
ANONYMOUS = {
    "POST /api/auth/request-code/",
    "POST /api/auth/verify-code/",
    "POST /api/auth/jwt/create/",
    "POST /api/auth/jwt/refresh/",
    "POST /api/auth/jwt/verify/",
    "GET /api/invite-codes/{code}/",
    "GET /healthz",
    "GET /readyz",
}


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
    # It takes two seconds to load, in every process that runs tests.
    from openapi_spec_validator import validate  # noqa: PLC0415

    validate(schema())


def test_every_refusal_of_an_operation_is_among_its_responses() -> None:
    make: Any = SchemaGenerator
    generator = make()
    generator._initialise_endpoints()
    seen = set()
    for path, _regex, method, view in generator._get_paths_and_endpoints():
        operation = schema()["paths"].get(path, {}).get(method.lower())
        refusals = getattr(getattr(view, method.lower()), "refusals", ())
        if operation:
            statuses = {str(status_of(refusal)) for refusal in refusals}
            assert statuses <= set(operation["responses"]), f"{method} {path}"
            seen |= statuses
    assert {"400", "403", "404", "409", "429", "503"} <= seen


def test_schema_builds_without_warnings() -> None:
    with GENERATOR_STATS.silence():
        GENERATOR_STATS.reset()
        generate()
        assert not GENERATOR_STATS


def test_every_operation_is_told_in_words() -> None:
    tags = {tag["name"] for tag in schema()["tags"] if tag["description"]}
    for name, operation in operations():
        assert operation["summary"], name
        assert operation["description"], name
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


def test_document_names_server_contact_and_licence() -> None:
    assert schema()["servers"]
    info = schema()["info"]
    assert info["contact"]["url"]
    assert info["license"] == {"name": "MIT", "identifier": "MIT"}


def test_operation_without_token_has_empty_security() -> None:
    security = {name: operation["security"] for name, operation in operations()}
    assert {name for name in security if not security[name]} >= ANONYMOUS
    schemes = set(schema()["components"]["securitySchemes"])
    for name, alternatives in security.items():
        for alternative in alternatives:
            assert alternative, f"{name}: no token and a token are one answer"
            assert set(alternative) <= schemes, name


def test_staff_operations_have_a_scheme_of_their_own() -> None:
    for name, operation in operations():
        is_for_staff = operation["security"] == [{"staffToken": []}]
        assert is_for_staff is (operation["tags"] == ["Staff"]), name


def test_all_errors_have_one_type() -> None:
    components = schema()["components"]["schemas"]
    names = {name for name in components if "Error" in name}
    assert names == {"Error", "ErrorResponse", "ErrorTypeEnum"}
    for name, status, answer in _errors():
        assert _type_of(answer) == {"$ref": "#/components/schemas/ErrorResponse"}, (
            name,
            status,
        )


def test_every_error_answer_lists_its_codes() -> None:
    for name, status, answer in _errors():
        codes = {(e["code"], e["attr"]) for e in answer["x-error-codes"]}
        examples = answer["content"]["application/json"]["examples"].values()
        shown = {
            (e["code"], e["attr"]) for ex in examples for e in ex["value"]["errors"]
        }
        assert shown, (name, status)
        assert shown <= codes, (name, status)
        for code, _ in codes:
            assert f"`{code}`" in answer["description"], (name, status, code)


def test_wrong_value_of_each_field_has_a_documented_code() -> None:
    operation = schema()["paths"]["/api/auth/verify-code/"]["post"]
    codes = {
        (e["code"], e["attr"]) for e in operation["responses"]["400"]["x-error-codes"]
    }
    assert {
        ("required", "phone_number"),
        ("phone_number_invalid", "phone_number"),
        ("required", "code"),
        ("code_incorrect", "code"),
        ("code_expired", "code"),
        ("parse_error", None),
    } <= codes


def test_every_fact_of_an_error_is_described() -> None:
    members = schema()["components"]["schemas"]["Error"]["properties"]
    facts = {key for refusal in _leaves(Refusal) for key in refusal.sample().facts}
    assert facts >= {"attempts_left", "challenge", "limit", "retry_after"}
    for fact in facts:
        assert members[fact]["description"], fact
    challenge = schema()["components"]["schemas"]["Challenge"]["properties"]
    assert set(challenge) == {"kind", "parameters", "signature"}


def test_limits_are_an_enum_that_may_grow() -> None:
    components = schema()["components"]["schemas"]
    assert set(components["LimitEnum"]["enum"]) == {
        *settings.LIMITS,
        "code_resend",
        "guesses_per_code",
    }
    # A generated client must not fail on a name that it does not know.
    assert {"type": "string"} in components["Error"]["properties"]["limit"]["anyOf"]


def test_headers_of_answers_are_described() -> None:
    assert all(h["description"] for h in schema()["components"]["headers"].values())
    for name, operation in operations():
        for status, answer in operation["responses"].items():
            expected = {"X-Request-ID"}
            if status.startswith("2"):
                expected.add("Cache-Control")
            if status == "401":
                expected.add("WWW-Authenticate")
            if status in {"429", "503"} and "x-error-codes" in answer:
                expected.add("Retry-After")
            assert expected <= set(answer["headers"]), (name, status)


def test_pages_always_have_next_and_previous() -> None:
    pages = [
        component
        for name, component in schema()["components"]["schemas"].items()
        if name.startswith("Paginated")
    ]
    assert len(pages) >= 3
    for page in pages:
        assert set(page["required"]) == {"next", "previous", "results"}
        for name in ("next", "previous"):
            assert page["properties"][name]["type"] == ["string", "null"]


def test_no_example_is_of_another_site() -> None:
    assert "example.org" not in str(schema())
    for name, operation in operations():
        for example in _examples(operation):
            if url := isinstance(example, dict) and example.get("next"):
                path = name.partition(" ")[2]
                assert url.startswith(f"https://example.com{path}?"), name


def test_null_is_a_type_and_not_a_remark() -> None:
    """`nullable` beside a reference means nothing, so generators leave null out."""
    assert schema()["openapi"].startswith("3.1")
    assert "'nullable'" not in str(schema())
    inviter = schema()["components"]["schemas"]["PersonDetail"]["properties"]["inviter"]
    assert {"type": "null"} in inviter["oneOf"]


def test_every_429_and_503_is_a_refusal_with_a_time_to_wait() -> None:
    for refusal in _leaves(Refusal):
        if status_of(refusal) in {429, 503}:
            assert refusal.sample().wait, refusal


@pytest.mark.parametrize("path", ["/redoc/", "/swagger/"])
def test_documentation_needs_no_other_host(client: Any, path: str) -> None:
    body = client.get(path).content.decode()
    assert "/static/" in body
    assert not re.findall(r'(?:src|href)="(?:\w+:)?//[^"]*', body)


def _errors() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, operation in operations():
        for status, answer in operation["responses"].items():
            if status >= "400" and (name, status) != ("GET /readyz", "503"):
                yield name, status, answer


def _type_of(answer: dict[str, Any]) -> Any:
    return answer["content"]["application/json"]["schema"]


def _examples(operation: dict[str, Any]) -> Iterator[Any]:
    for answer in operation["responses"].values():
        for media in answer.get("content", {}).values():
            for example in media["examples"].values():
                yield example["value"]


def _leaves(refusal: type[Refusal]) -> Iterator[type[Refusal]]:
    children = refusal.__subclasses__()
    if not children or refusal is LimitReached:
        yield refusal
    for child in children:
        yield from _leaves(child)
