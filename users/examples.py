"""Requests and answers shown in the API documentation."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

_USER = {
    "id": 2,
    "phone_number": "+79991234567",
    "first_name": "Boris",
    "last_name": "",
    "email": "",
    "invite_code": "7K9QXT",
    "invite_link": "https://example.com/i/7K9QXT/",
    "activated_invite_code": "3MZ8RA",
}
_PROFILE = {
    **_USER,
    "referrals": [
        {"phone_number": "+79997654321", "activated_at": "2026-11-21T09:30:00Z"}
    ],
    "referrals_count": 1,
    "referrals_count_is_exact": True,
    "referrals_next": None,
}


def _request(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


def _answer(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=["200"])


REQUEST_CODE = [
    _request("Phone", {"phone_number": "8 (999) 123-45-67"}),
    _request(
        "Phone and invite code",
        {"phone_number": "+79991234567", "invite_code": "3mz8-ra"},
    ),
    _answer(
        "Sent",
        {
            "success": True,
            "message": "The code has been sent.",
            "phone_number": "+79991234567",
            "expires_in": 298,
            "resend_in": 58,
            "code_length": 4,
        },
    ),
]

VERIFY_CODE = [
    _request("Code", {"phone_number": "+79991234567", "code": "0421"}),
    _request(
        "Code and invite code",
        {"phone_number": "+79991234567", "code": "0421", "invite_code": "3MZ8RA"},
    ),
    _answer(
        "SignedIn",
        {
            "token": "the-token-is-43-letters-digits-and-dashes",
            "expires_at": "2027-02-19T09:30:00Z",
            "device_token": "a-signed-word-that-the-device-keeps",
            "is_new_user": True,
            "invite_code_applied": True,
            "user": _USER,
        },
    ),
]

PROFILE = [_answer("Profile", _PROFILE)]

ACTIVATE_INVITE_CODE = [
    _request("InviteCode", {"invite_code": "3MZ8RA"}),
    _answer(
        "Activated", {"message": "The invite code is activated.", "profile": _PROFILE}
    ),
]

UPDATE_PROFILE = [
    _request("Name", {"first_name": "Boris"}),
    _answer("Profile", _PROFILE),
]
