import pytest
from rest_framework.test import APIClient

from conftest import ALICE


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["request-code", "verify-code"])
def test_errors_are_in_the_language_of_each_reader(api: APIClient, path: str) -> None:
    """Though all readers share one serializer."""
    body = {"phone_number": ALICE, "code": "0000", "device_token": "x" * 301}
    details = [
        api.post(
            f"/api/auth/{path}/", body, headers={"accept-language": language}
        ).json()["errors"][0]["detail"]
        for language in ("en", "ru", "en")
    ]
    assert details[0] == "Ensure this field has no more than 300 characters."
    assert details[1].startswith("Убедитесь")
    assert details[2] == details[0]


@pytest.mark.parametrize("body", [None, [], "text", 5, {}])
def test_a_body_that_is_no_object_is_an_error_of_the_client(
    api: APIClient, body: object
) -> None:
    answer = api.post("/api/auth/request-code/", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["type"] == "validation_error"
