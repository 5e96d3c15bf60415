from users.examples import USER, answer, request

REQUEST_PHONE_CHANGE = [
    request("Number", {"phone_number": "8 (999) 765-43-21"}),
    answer(
        "Sent",
        {
            "message": "The codes have been sent.",
            "old_code": {
                "phone_number": "+79991234567",
                "expires_in": 297,
                "resend_in": 57,
                "code_length": 4,
                "channel": "sms",
                "channels": ["sms", "call"],
                "delivery_id": None,
                "was_sent_before": False,
            },
            "new_code": {
                "phone_number": "+79997654321",
                "expires_in": 298,
                "resend_in": 58,
                "code_length": 4,
                "channel": "sms",
                "channels": ["sms", "call"],
                "delivery_id": None,
                "was_sent_before": False,
            },
        },
    ),
]
CHANGE_PHONE = [
    request(
        "Codes",
        {"phone_number": "+79997654321", "old_code": "0421", "new_code": "9034"},
    ),
    answer(
        "Changed",
        {
            "token": "the-token-is-43-letters-digits-and-dashes",
            "expires_at": "2027-02-19T09:30:00Z",
            "device_token": "a-signed-word-that-the-device-keeps",
            "user": {**USER, "phone_number": "+79997654321"},
        },
    ),
]
