from users.examples import answer

DATA = {
    "exported_at": "2026-11-21T09:30:00Z",
    "account": {
        "id": 2,
        "phone_number": "+79991234567",
        "first_name": "Boris",
        "last_name": "",
        "email": "",
        "is_staff": False,
        "email_verified_at": None,
        "joined_at": "2026-11-20T09:30:00Z",
        "last_sign_in_at": "2026-11-21T09:29:00Z",
    },
    "invite_codes": [{"code": "7K9QXT", "works": True, "replaced_at": None}],
    "activated_invite_code": {
        "code": "3MZ8RA",
        "activated_at": "2026-11-20T09:30:00Z",
        "came_by": "link",
        "inviter": "+7999•••••21",
    },
    "corrections_of_inviter": [],
    "devices": [
        {
            "id": 5,
            "name": "Firefox, Linux",
            "device": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0",
            "created_at": "2026-11-21T09:29:00Z",
            "last_used_at": "2026-11-21T09:29:00Z",
            "expires_at": "2027-02-19T09:29:00Z",
        }
    ],
    "number_history": [
        {"at": "2026-11-21T09:29:00Z", "event": "signed_in", "about": ""}
    ],
    "terms": [{"version": "2026-11", "accepted_at": "2026-11-20T09:30:00Z"}],
    "ledger": [],
    "referrals": [
        {"phone_number": "+79997654321", "activated_at": "2026-11-21T09:30:00Z"}
    ],
}
EXPORT_DATA = [answer("Data", DATA)]
