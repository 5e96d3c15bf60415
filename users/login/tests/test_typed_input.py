"""Phone numbers and codes that are refused with a text that says why."""

import pytest
from rest_framework.test import APIClient

from conftest import ALICE, error_of

pytestmark = pytest.mark.django_db


def test_an_extension_is_refused_by_name(api: APIClient) -> None:
    body = {"phone_number": f"{ALICE} ext. 12"}
    error = error_of(api.post("/api/auth/request-code/", body))
    assert error["code"] == "phone_number_invalid"
    assert "extension" in error["detail"]


@pytest.mark.parametrize("number", [421, 42.5])
def test_a_code_sent_as_a_number_is_refused_by_name(
    api: APIClient, number: object
) -> None:
    body = {"phone_number": ALICE, "code": number}
    error = error_of(api.post("/api/auth/verify-code/", body, format="json"))
    assert (error["code"], error["attr"]) == ("invalid", "code")
    assert "leading zeros" in error["detail"]
