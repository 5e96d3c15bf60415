from users.devices.examples import PAIR
from users.examples import TOKEN, USER, answer, request

REQUEST_CODE = [
    request("Phone", {"phone_number": "8 (999) 123-45-67"}),
    request(
        "Phone and invite code",
        {"phone_number": "+79991234567", "invite_code": "3mz8-ra"},
    ),
    request("Phone, to be called", {"phone_number": "+79991234567", "channel": "call"}),
    request(
        "Phone and solution of a challenge",
        {"phone_number": "+79991234567", "challenge": "eyJjaGFsbGVuZ2UiOiB7…"},
    ),
    answer(
        "Sent",
        {
            "success": True,
            "message": "The code has been sent.",
            "phone_number": "+79991234567",
            "expires_in": 298,
            "resend_in": 58,
            "code_length": 4,
            "channel": "sms",
            "channels": ["sms", "call"],
            "delivery_id": "0f4b6c2d9e8a41735b1c6d7e8f901234",
            "was_sent_before": False,
        },
    ),
]
CODES = [
    request("Code", {"phone_number": "+79991234567", "code": "0421"}),
    request(
        "Code and invite code",
        {"phone_number": "+79991234567", "code": "0421", "invite_code": "3MZ8RA"},
    ),
]
SIGN_IN = {
    "device_token": "a-signed-word-that-the-device-keeps",
    "is_new_user": True,
    "invite_code_applied": True,
    "user": USER,
}
VERIFY_CODE = [*CODES, answer("SignedIn", {**TOKEN, **SIGN_IN})]
CREATE_JWT = [*CODES, answer("SignedIn", {**PAIR, **SIGN_IN})]
