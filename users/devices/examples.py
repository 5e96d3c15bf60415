from users.examples import answer, request

PAIR = {
    "access": "header.the-access-claims.signature",
    "access_expires_in": 600,
    "refresh": "header.the-refresh-claims.signature",
    "refresh_expires_at": "2027-02-19T09:30:00Z",
}
REFRESH_JWT = [
    request("Refresh", {"refresh": PAIR["refresh"]}),
    answer("Pair", PAIR),
]
VERIFY_JWT = [
    request("Access", {"token": PAIR["access"]}),
    answer("Valid", {}),
]
DEVICES = [
    answer(
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
