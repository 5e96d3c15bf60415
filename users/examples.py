"""Requests and answers shown in the API documentation."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

USER = {
    "id": 2,
    "phone_number": "+79991234567",
    "first_name": "Boris",
    "last_name": "",
    "email": "",
    "invite_code": "7K9QXT",
    "invite_link": "https://example.com/i/7K9QXT/",
    "activated_invite_code": "3MZ8RA",
}
PROFILE = {
    **USER,
    "referrals": [
        {"phone_number": "+79997654321", "activated_at": "2026-11-21T09:30:00Z"}
    ],
    "referrals_count": 1,
    "referrals_count_is_exact": True,
    "referrals_next": None,
}


def request(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


def answer(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=["200"])


TOKEN = {
    "token": "the-token-is-43-letters-digits-and-dashes",
    "expires_at": "2027-02-19T09:30:00Z",
}
