"""The Postman collection has every operation of the schema, and no other."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from tests.project.test_schema import operations

COLLECTION = settings.BASE_DIR / "postman_collection.json"

# What is asked to see it refused, and what the schema leaves out: itself and its pages.
NO_OPERATIONS = {
    "GET /api/auth/request-code/",
    "GET /api/no-such-address/",
    "GET /api/schema/",
    "GET /redoc/",
    "GET /swagger/",
}


def requests(items: list[dict[str, Any]] | None = None) -> Iterator[dict[str, Any]]:
    if items is None:
        items = json.loads(COLLECTION.read_text(encoding="utf-8"))["item"]
    for item in items:
        if "item" in item:
            yield from requests(item["item"])
        else:
            yield item


def asked() -> set[str]:
    found = set()
    for item in requests():
        address = item["request"]["url"].removeprefix("{{base_url}}")
        found.add(f"{item['request']['method']} {urlsplit(address).path}")
    return found


def test_collection_has_exactly_the_operations_of_the_schema() -> None:
    patterns = {
        name: re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(name)))
        for name, _ in operations()
    }
    known = set()
    for request in asked() - NO_OPERATIONS:
        names = {name for name, p in patterns.items() if p.fullmatch(request)}
        assert names, f"not in the schema: {request}"
        known |= names
    assert known == set(patterns)


def test_every_request_is_explained_and_checked() -> None:
    for item in requests():
        assert item["request"]["description"], item["name"]
        assert "test" in {event["listen"] for event in item["event"]}, item["name"]
