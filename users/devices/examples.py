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
VERIFIED = {
    "user_id": 1,
    "device_id": 7,
    "token_type": "access",
    "expires_at": "2026-11-21T09:40:00Z",
}
VERIFY_JWT = [
    request("Access", {"token": PAIR["access"]}),
    answer("Valid", VERIFIED),
]
CHECK_JWT = [answer("Valid", VERIFIED)]
JWK_SET = [
    answer(
        "Keys",
        {
            "keys": [
                {
                    "kty": "EC",
                    "crv": "P-256",
                    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                    "use": "sig",
                    "alg": "ES256",
                    "kid": "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
                }
            ]
        },
    )
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
