from users.examples import answer, request

TERMS = {
    "version": "2026-11",
    "url": "https://www.example.com/terms",
    "privacy_url": None,
    "accepted_version": "2026-11",
    "accepted_at": "2026-11-21T09:30:00Z",
}
ACCEPT_TERMS = [request("Version", {"version": "2026-11"}), answer("Terms", TERMS)]
