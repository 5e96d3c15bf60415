"""Alice invites Boris, with the generated client. CI runs it on a live server."""

import os
import secrets
from typing import TypeVar

from referral_client import AuthenticatedClient, Client
from referral_client.api.devices import list_devices
from referral_client.api.invites import get_invite_code
from referral_client.api.profile import activate_invite_code, get_profile
from referral_client.api.sign_in import logout, request_code, verify_code
from referral_client.models import (
    ActivateInviteCodeRequest,
    ErrorResponse,
    RequestCodeRequest,
    VerifyCodeRequest,
)
from referral_client.types import Response, Unset

Answer = TypeVar("Answer")
BASE_URL = os.environ["BASE_URL"]
anonymous = Client(BASE_URL)


class Refused(Exception):
    """What the server says about a request that it refuses."""

    def __init__(self, answer: ErrorResponse, retry_after: str | None) -> None:
        error = answer.errors[0]
        super().__init__(error.detail)
        self.code = error.code
        self.attempts_left = (
            None if isinstance(error.attempts_left, Unset) else error.attempts_left
        )
        self.wait_seconds = int(retry_after) if retry_after else None


def refusal(response: Response[ErrorResponse | Answer]) -> Refused:
    assert isinstance(response.parsed, ErrorResponse), "this must be refused"
    return Refused(response.parsed, response.headers.get("Retry-After"))


def accepted(response: Response[ErrorResponse | Answer]) -> Answer:
    """The answer, with its type. Raises Refused."""
    if isinstance(response.parsed, ErrorResponse):
        raise refusal(response)
    assert response.parsed is not None, f"undocumented: {response.status_code}"
    return response.parsed


def sign_in(phone_number: str) -> AuthenticatedClient:
    wanted = RequestCodeRequest(phone_number)
    sent = accepted(request_code.sync_detailed(client=anonymous, body=wanted))
    assert not isinstance(sent.dev_code, Unset), "the server must show codes"

    # A wrong code tells how many attempts are left.
    wrong = VerifyCodeRequest(phone_number, code=_another(sent.dev_code))
    refused = refusal(verify_code.sync_detailed(client=anonymous, body=wrong))
    assert refused.code == "code_incorrect"
    assert refused.attempts_left == 4

    # A second request at once tells how long to wait.
    refused = refusal(request_code.sync_detailed(client=anonymous, body=wanted))
    assert refused.code == "throttled"
    assert refused.wait_seconds is not None

    right = VerifyCodeRequest(phone_number, code=sent.dev_code)
    signed_in = accepted(verify_code.sync_detailed(client=anonymous, body=right))
    return AuthenticatedClient(BASE_URL, signed_in.token, prefix="Token")


def main() -> None:
    alice, boris = sign_in(_new_number()), sign_in(_new_number())
    code = accepted(get_profile.sync_detailed(client=alice)).invite_code
    owner = accepted(get_invite_code.sync_detailed(code, client=anonymous))
    assert owner.invite_code == code

    body = ActivateInviteCodeRequest(code)
    accepted(activate_invite_code.sync_detailed(client=boris, body=body))
    profile = accepted(get_profile.sync_detailed(client=alice))
    assert profile.referrals_count == 1

    devices = accepted(list_devices.sync_detailed(client=boris))
    assert [device.is_current for device in devices.results] == [True]
    assert devices.next_ is None
    assert logout.sync_detailed(client=boris).status_code == 204
    refused = refusal(get_profile.sync_detailed(client=boris))
    print(f"signed out: {refused.code}")


def _new_number() -> str:
    return f"+7999{secrets.randbelow(10**7):07}"


def _another(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)


if __name__ == "__main__":
    main()
