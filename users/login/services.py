"""Asking for a code, and signing in with it."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from config.after_commit import after_commit
from config.monitoring import audit
from config.refusals import NotFound, Refusal
from config.server.redis_pool import REDIS_FAILS
from config.server.request_queue import note_success, slot_released
from limits import commands
from limits.addresses import keyed_address
from referrals.came_by import CameBy
from referrals.services import activate_invite_code, look_up_inviter
from users import number_history
from users.channels import Channel, CodeMessage, Purpose
from users.channels.sending import (
    channels_for,
    check_channel,
    check_destination,
    is_simulated,
    send_message,
)
from users.devices.token_authentication import issue_token
from users.login import codes, invitations
from users.login.accounts import lock_or_create
from users.login.clients import Client, issue_known_device_token
from users.login.exceptions import AccountInactive, CodeExpired, ResendTooSoon
from users.login.fixed_codes import fixed_digits
from users.login.guess_limits import make_guess
from users.login.resend_wait import Asker, end_wait, seconds_until_resend
from users.login.send_reservation import reserve_send
from users.mail.notices import notify_of_new_device
from users.models import Device, User
from users.phones import PhoneNumber
from users.statistics import daily_counts
from users.terms.exceptions import TermsVersionOutdated
from users.terms.services import accept_terms


@dataclass(frozen=True, slots=True)
class CodeSent:
    """What whoever asked for a code may know of it."""

    phone_number: str
    expires_in: int  # seconds
    resend_in: int  # seconds
    code_length: int
    dev_code: str | None  # the code, only where SHOW_LOGIN_CODES allows it
    # The number gets no more messages for now. A code was sent earlier, and is valid.
    was_sent_before: bool = False
    # How it was sent; None if that is not known.
    channel: Channel | None = None
    # How the next one can be asked for.
    channels: Sequence[Channel] = ()
    # The channel that was picked did not work, and another one was used.
    is_fallback: bool = False
    # See `channels.deliveries`. None: the provider does not report it.
    delivery_id: str | None = None


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


def request_code(
    *,
    phone_number: PhoneNumber,
    client: Client,
    invite_code: str | None = None,
    channel: Channel | None = None,
) -> CodeSent:
    """Send a login code, and return when the provider has accepted the message.

    `channel` is tried first; if it surely does not work, the others are.

    Does not look whether the number has an account. `invite_code` (normalised) is
    remembered for this number and address. Raises CountryNotServed,
    NumberCannotReceiveSms, ChannelNotOffered, InviteCodeUnknown, ResendTooSoon,
    LimitReached, ChallengeRequired, SmsUnavailable (the number may ask again at once),
    and SmsUnsure (the code stays valid, because it may arrive).
    """
    check_destination(phone_number)
    check_channel(channel)
    if invite_code:
        look_up_inviter(invite_code, address=client.address)
        invitations.remember(invite_code, phone_number, client)
    return send_code(phone_number, client, picked=channel)


def send_code(
    phone_number: PhoneNumber,
    client: Client,
    *,
    scope: str = codes.SIGN_IN,
    purpose: Purpose = Purpose.SIGN_IN,
    new_number_end: str = "",
    picked: Channel | None = None,
) -> CodeSent:
    """Send the living code, or a new one.

    `scope`: see `codes`. `purpose` and `new_number_end` are for the text. Returns
    without sending if the last code that the number may get for now is alive. Raises
    ResendTooSoon, LimitReached, ChallengeRequired, SmsUnavailable and SmsUnsure.
    """
    is_sign_in = scope == codes.SIGN_IN
    went = None
    try:
        with reserve_send(phone_number, client, is_sign_in=is_sign_in) as send:
            code = codes.issue(
                phone_number,
                length=send.code_length,
                fixed=fixed_digits(phone_number) if is_sign_in else None,
                scope=scope,
                last_for=send.last_for,
            )
            if not code.is_fixed:
                message = _message(phone_number, code, purpose, new_number_end)
                _release_database()
                note_success()
                with slot_released():
                    went = send_message(message, picked=picked)
    except ResendTooSoon:
        if last := _living_last_code(phone_number, scope):
            return _code_sent(
                phone_number, last, last.seconds_left, purpose, was_sent_before=True
            )
        raise
    channel = went.channel if went else None
    audit.record(
        "code.sent",
        phone=phone_number.masked,
        address=keyed_address(client.address),
        digits=code.length,
        channel=channel or "none",
    )
    number_history.record(
        phone_number.pseudonym, number_history.SENT, channel or "none"
    )
    # The message is on its way: do not fail now.
    with suppress(DatabaseError, *REDIS_FAILS):
        daily_counts.counted(send.sent_today)
    resend_in = math.ceil(send.next_at - time.time())
    sent = _code_sent(phone_number, code, resend_in, purpose, channel)
    if went is None:  # a fixed code
        return sent
    with suppress(*REDIS_FAILS):
        if len(sent.channels) > 1:
            code.record_channel(went.channel)
    # A channel that cannot carry the code was not tried, nor one that was skipped.
    is_fallback = picked in went.tried and channel != picked
    return replace(sent, is_fallback=is_fallback, delivery_id=went.delivery_id)


def channels_of(phone_number: PhoneNumber, *, code_length: int) -> list[Channel]:
    """How a login code of so many digits can be sent to the number."""
    return channels_for(
        CodeMessage(
            phone_number=phone_number,
            code="0" * code_length,
            purpose=Purpose.SIGN_IN,
            expires_at=time.time() + settings.LOGIN_CODE_TTL_SECONDS,
        )
    )


def sent_code(
    phone_number: PhoneNumber,
    client: Client,
    *,
    scope: str = codes.SIGN_IN,
    purpose: Purpose = Purpose.SIGN_IN,
) -> CodeSent | None:
    """What `send_code` returned, as it is now. None if no code is alive."""
    code = codes.find(phone_number, scope)
    if code is None or not code.is_alive():
        return None
    known_device = client.known_device(phone_number)
    asker = Asker.of(known_device, is_sign_in=scope == codes.SIGN_IN)
    resend_in = seconds_until_resend(phone_number, asker)
    return _code_sent(phone_number, code, resend_in, purpose)


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


def _release_database() -> None:
    """Let other requests use the connection while this one waits for the provider."""
    if not connection.in_atomic_block:
        connection.close()


def _living_last_code(phone_number: PhoneNumber, scope: str) -> codes.LoginCode | None:
    code = codes.find(phone_number, scope)
    if code is None or not code.is_last:
        return None
    if not code.is_alive():
        # The code was spent, but ending the wait failed then, for example in an outage.
        end_wait(phone_number)
        return None
    return code


def _message(
    phone_number: PhoneNumber,
    code: codes.LoginCode,
    purpose: Purpose,
    new_number_end: str = "",
) -> CodeMessage:
    return CodeMessage(
        phone_number=phone_number,
        code=code.digits,
        purpose=purpose,
        expires_at=code.expires_at,
        is_last=code.is_last,
        new_number_end=new_number_end,
    )


def _code_sent(
    phone_number: PhoneNumber,
    code: codes.LoginCode,
    resend_in: int,
    purpose: Purpose,
    channel: Channel | None = None,
    *,
    was_sent_before: bool = False,
) -> CodeSent:
    offered = channels_for(_message(phone_number, code, purpose))
    if channel is None and not code.is_fixed:
        sent_by = code.sent_by() if len(offered) > 1 else None
        channel = Channel(sent_by) if sent_by else offered[0] if offered else None
    show = settings.SHOW_LOGIN_CODES and is_simulated()
    return CodeSent(
        phone_number=phone_number,
        expires_in=code.seconds_left,
        resend_in=max(resend_in, 0),
        code_length=code.length,
        dev_code=code.digits if show else None,
        was_sent_before=was_sent_before,
        channel=channel,
        channels=offered,
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
