from users.examples import PROFILE, answer, request

GET_PROFILE = [answer("Profile", PROFILE)]
ACTIVATE_INVITE_CODE = [
    request("InviteCode", {"invite_code": "3MZ8RA"}),
    answer(
        "Activated",
        {"message": "The invite code has been activated.", "profile": PROFILE},
    ),
]
UPDATE_PROFILE = [
    request("Name", {"first_name": "Boris"}),
    answer("Profile", PROFILE),
]
