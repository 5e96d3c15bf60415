import pytest
from rest_framework.serializers import Serializer
from rest_framework.test import APIClient
from rest_framework.utils.formatting import lazy_format

from config.api.serializers import shared
from conftest import ALICE
from users.login.serializers import (
    CodeSentSerializer,
    RequestCodeSerializer,
    VerifyCodeSerializer,
)

REQUEST_CODE = "/api/auth/request-code/"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["request-code", "verify-code"])
def test_a_text_that_is_too_long_is_refused_in_the_clients_language(
    api: APIClient, path: str
) -> None:
    """One serializer serves all requests."""
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


@pytest.mark.parametrize(
    "serializer_class",
    [RequestCodeSerializer, VerifyCodeSerializer, CodeSentSerializer],
)
def test_no_shared_field_keeps_the_language_of_a_client(
    serializer_class: type[Serializer[object]],
) -> None:
    for field in shared(serializer_class).fields.values():
        for validator in field.validators:
            message = getattr(validator, "message", None)
            assert not isinstance(message, lazy_format), field.field_name


@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        ("null", "null", "non_field_errors"),
        ("[]", "invalid", "non_field_errors"),
        ('"text"', "invalid", "non_field_errors"),
        ("5", "invalid", "non_field_errors"),
        ("{}", "required", "phone_number"),
        ("", "required", "phone_number"),
    ],
)
def test_a_body_without_the_fields_is_an_error_of_the_client(
    api: APIClient, body: str, code: str, attr: str
) -> None:
    answer = api.post(REQUEST_CODE, body, content_type="application/json")
    assert answer.status_code == 400
    error = answer.json()["errors"][0]
    assert (error["code"], error["attr"]) == (code, attr)
