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

_CODES = [
    _request("Code", {"phone_number": "+79991234567", "code": "0421"}),
    _request(
        "Code and invite code",
        {"phone_number": "+79991234567", "code": "0421", "invite_code": "3MZ8RA"},
    ),
]
_SIGN_IN = {
    "device_token": "a-signed-word-that-the-device-keeps",
    "is_new_user": True,
    "invite_code_applied": True,
    "user": _USER,
}
_TOKEN = {
    "token": "the-token-is-43-letters-digits-and-dashes",
    "expires_at": "2027-02-19T09:30:00Z",
}
_PAIR = {
    "access": "header.the-access-claims.signature",
    "access_expires_in": 600,
    "refresh": "header.the-refresh-claims.signature",
    "refresh_expires_at": "2027-02-19T09:30:00Z",
}

VERIFY_CODE = [*_CODES, _answer("SignedIn", {**_TOKEN, **_SIGN_IN})]

CREATE_JWT = [*_CODES, _answer("SignedIn", {**_PAIR, **_SIGN_IN})]

REFRESH_JWT = [
    _request("Refresh", {"refresh": _PAIR["refresh"]}),
    _answer("Pair", _PAIR),
]

VERIFY_JWT = [
    _request("Access", {"token": _PAIR["access"]}),
    _answer("Valid", {}),
]

DEVICES = [
    _answer(
        "Device",
        {
            "id": 7,
            "name": "Chrome Mobile, Android",
            "device": "Mozilla/5.0 (Linux; Android 16) … Chrome/142.0 Mobile Safari",
            "created_at": "2026-11-01T08:15:00Z",
            "last_used_at": "2026-11-21T09:30:00Z",
            "expires_at": "2027-02-19T09:30:00Z",
            "is_current": True,
        },
    )
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

_PERSON = {
    "id": 2,
    "phone_number": "+79991234567",
    "first_name": "Boris",
    "last_name": "",
    "email": "",
    "invite_code": "7K9QXT",
    "activated_invite_code": "3MZ8RA",
    "is_active": True,
    "is_staff": False,
    "joined_at": "2026-11-21T09:30:00Z",
    "last_login_at": "2026-11-21T09:30:00Z",
}

PEOPLE = [
    _answer("Person", _PERSON),
    OpenApiExample(
        "NoSuchDay",
        value={
            "type": "validation_error",
            "errors": [
                {
                    "code": "invalid",
                    "detail": "Enter a valid date.",
                    "attr": "joined_after",
                }
            ],
        },
        response_only=True,
        status_codes=["400"],
    ),
]

PERSON = [
    _answer(
        "Person",
        {
            **_PERSON,
            "inviter": {"id": 1, "phone_number": "+79997654321"},
            "referrals_count": 1,
            "referrals_count_is_exact": True,
            "devices_count": 2,
        },
    )
]

SERVICE_STATS = [
    _answer(
        "Stats",
        {
            "people": 1200,
            "new_people": 80,
            "new_people_per_day": [{"date": "2026-11-21", "count": 80}],
            "activations": 60,
            "activations_per_day": [{"date": "2026-11-21", "count": 60}],
            "activated_share": 0.75,
            "top_inviters": [{"id": 1, "invite_code": "3MZ8RA", "count": 12}],
        },
    )
]

REQUEST_PHONE_CHANGE = [
    _request("Number", {"phone_number": "8 (999) 765-43-21"}),
    _answer(
        "Sent",
        {
            "message": "The codes have been sent.",
            "old_code": {
                "phone_number": "+79991234567",
                "expires_in": 297,
                "resend_in": 57,
                "code_length": 4,
            },
            "new_code": {
                "phone_number": "+79997654321",
                "expires_in": 298,
                "resend_in": 58,
                "code_length": 4,
            },
        },
    ),
]

CHANGE_PHONE = [
    _request(
        "Codes",
        {"phone_number": "+79997654321", "old_code": "0421", "new_code": "9034"},
    ),
    _answer(
        "Changed",
        {
            "token": "the-token-is-43-letters-digits-and-dashes",
            "expires_at": "2027-02-19T09:30:00Z",
            "device_token": "a-signed-word-that-the-device-keeps",
            "user": {**_USER, "phone_number": "+79997654321"},
        },
    ),
]
