from users.examples import answer, request

EMAIL = {"email": "boris@example.com", "email_verified": False}
SEND_LINK = [answer("Email", EMAIL)]
VERIFY_EMAIL = [
    request("Key", {"key": "email:1vMtQz:a-signature-of-43-letters-and-digits"}),
    answer("Email", {**EMAIL, "email_verified": True}),
]
