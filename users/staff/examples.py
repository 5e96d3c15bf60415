from drf_spectacular.utils import OpenApiExample

from users.examples import answer

PERSON_ROW = {
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
    answer("Person", PERSON_ROW),
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
    answer(
        "Person",
        {
            **PERSON_ROW,
            "inviter": {"id": 1, "phone_number": "+79997654321"},
            "referrals_count": 1,
            "referrals_count_is_exact": True,
            "devices_count": 2,
        },
    )
]
SERVICE_STATS = [
    answer(
        "Stats",
        {
            "people": 1200,
            "new_people": 80,
            "new_people_per_day": [{"date": "2026-11-21", "count": 80}],
            "activations": 60,
            "activations_per_day": [{"date": "2026-11-21", "count": 60}],
            "activated_share": 0.75,
            "top_inviters": [{"id": 1, "invite_code": "3MZ8RA", "count": 12}],
            "activations_by_way": [{"came_by": "link", "count": 60}],
            "funnel_per_day": [
                {
                    "date": "2026-11-21",
                    "link_opens": 150,
                    "codes_sent": 110,
                    "sign_ins": 90,
                    "activations": 60,
                }
            ],
        },
    )
]
LEDGER = [
    answer(
        "Ledger",
        {
            "next": None,
            "results": [
                {
                    "position": 41,
                    "id": "0f1c9e0e-8d43-5a55-9c9f-0a4b1f3f9a52",
                    "type": "referral.activated",
                    "timestamp": "2026-11-21T12:00:05Z",
                    "data": {
                        "invitee_id": 2,
                        "invitee_key": "9b2c",
                        "inviter_id": 1,
                        "inviter_key": "51f0",
                        "invite_code": "3MZ8RA",
                        "inviter_id_before": None,
                        "inviter_key_before": None,
                        "invite_code_before": None,
                        "activated_at": "2026-11-21T12:00:05+00:00",
                    },
                }
            ],
        },
    )
]
