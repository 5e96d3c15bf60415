"""Signing in with a code."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from django.db import transaction

from config.after_commit import after_commit
from config.monitoring import audit
from config.refusals import NotFound, Refusal
from config.server.redis_pool import REDIS_FAILS
from limits import commands
from limits.addresses import keyed_address
from referrals.came_by import CameBy
from referrals.services import activate_invite_code
from users import number_history
from users.devices.token_authentication import issue_token
from users.login import codes
from users.login.accounts import lock_or_create
from users.login.clients import Client, issue_known_device_token
from users.login.exceptions import AccountInactive, CodeExpired
from users.login.guess_limits import make_guess
from users.login.resend_wait import end_wait
from users.mail.notices import notify_of_new_device
from users.models import Device, User
from users.phones import PhoneNumber
from users.statistics import daily_counts
from users.terms.exceptions import TermsVersionOutdated
from users.terms.services import accept_terms


@dataclass(frozen=True, slots=True)
class SignedIn:
    user: User
    device: Device
    token: str
    known_device_token: str
    is_new_user: bool
    invite_code_applied: bool
    invite_code_refusal: Refusal | None  # of a code that was accepted before


class IssueToken(Protocol):
    def __call__(self, *, user: User, user_agent: str) -> tuple[Device, str]: ...


def sign_in(
    *,
    phone_number: PhoneNumber,
    digits: str,
    client: Client,
    invite_code: str | None = None,
    recall_invite_code: Callable[[], str | None] | None = None,
    issue: IssueToken = issue_token,
    came_by: CameBy = CameBy.API,
    accepted_terms_version: str = "",
) -> SignedIn:
    """Exchange a login code for a token. The first sign-in creates the account.

    `invite_code` was sent with this request, and is refused if it cannot be activated.
    `recall_invite_code` returns one that this client accepted before, if any. It is
    called for new accounts only, and the code is activated if it can be: people who
    have an account are asked again. `issue` makes the token. `came_by` is how the
    invite code came. `accepted_terms_version` is the version of the terms that the
    person accepts by this sign-in; only the current one counts. A sign-in on an unknown
    device is notified by e-mail, if the person has confirmed one.

    Spending the code is the last step of the transaction. Whatever is refused or fails
    before it leaves the database unchanged and the code alive; of several requests with
    the same code, all but one are rolled back. (If the commit itself fails, the code is
    spent all the same: the cache does not roll back.) Raises CodeIncorrect,
    CodeExpired, LimitReached, AccountInactive, InviteCodeUnknown and InviteCodeOwn.
    """
    known_device = client.known_device(phone_number)
    code = codes.get(phone_number)
    typos = make_guess(
        code,
        digits,
        phone_number=phone_number,
        client=client,
        known_device=known_device,
    )
    with transaction.atomic():
        user, is_new = lock_or_create(phone_number)
        if not user.is_active:
            raise AccountInactive
        if code.is_fixed and user.is_staff:
            raise CodeExpired  # others know a fixed code: it opens no staff account
        had_activated = bool(user.activated_invite_code)
        refusal = None
        if invite_code and not had_activated:
            _activate(user, invite_code, client, came_by)
        elif is_new and recall_invite_code and (recalled := recall_invite_code()):
            try:
                _activate(user, recalled, client, came_by)
            except Refusal as refused:  # its sender cannot correct it now
                refusal = refused
        if accepted_terms_version:
            with suppress(TermsVersionOutdated, NotFound):
                accept_terms(user=user, version=accepted_terms_version)
        device, token = issue(user=user, user_agent=client.user_agent)
        code.spend()
        # The user is signed in then, whatever fails.
        after_commit(_announce, phone_number, user, is_new, device, client)
        if known_device is None and not is_new:
            after_commit(notify_of_new_device, device)
    with suppress(*REDIS_FAILS):  # likewise
        typos.forgive()
        if code.is_last:
            end_wait(phone_number)
    return SignedIn(
        user=user,
        device=device,
        token=token,
        known_device_token=issue_known_device_token(user, known_device),
        is_new_user=is_new,
        invite_code_applied=bool(user.activated_invite_code) and not had_activated,
        invite_code_refusal=refusal,
    )


def _activate(user: User, invite_code: str, client: Client, came_by: CameBy) -> None:
    user.activation = activate_invite_code(
        invitee=user, code=invite_code, address=client.address, came_by=came_by
    )


def _announce(
    phone_number: PhoneNumber,
    user: User,
    is_new_user: bool,
    device: Device,
    client: Client,
) -> None:
    audit.record(
        "signed_in",
        user=user.pk,
        is_new_user=is_new_user,
        device=device.pk,
        address=keyed_address(client.address),
    )
    _, sign_ins_today = commands.run(
        [
            number_history.record_command(
                phone_number.pseudonym, number_history.SIGNED_IN
            ),
            daily_counts.count_command(daily_counts.SIGN_INS),
        ]
    )
    daily_counts.counted(sign_ins_today)
