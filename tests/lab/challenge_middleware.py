from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from users import challenges
from users.login import services
from users.login.clients import Client
from users.phone_change import services as phone_change
from users.phones import PhoneNumber


class PastASoftLimit:
    """Every request for a code needs a solution, except those of known devices."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        services.send_code = ask_first
        phone_change.send_code = ask_first  # type: ignore[attr-defined]  # its import

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)


send_code = services.send_code


def ask_first(
    phone_number: PhoneNumber, text: str, client: Client, **more: Any
) -> services.CodeSent:
    is_free = client.has_signed_in_on(phone_number) or services.resend_in(
        phone_number, client
    )
    if not is_free and challenges.is_due(client.challenge_solution):
        raise challenges.required(limit="sends", wait=600)
    return send_code(phone_number, text, client, **more)
