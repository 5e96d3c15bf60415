"""Asking for a code, and signing in with it."""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from redis.exceptions import RedisError

from config.monitoring import audit
from config.refusals import Refusal
from config.server.request_queue import slot_released
from limits.addresses import keyed_address
from referrals.services import activate_invite_code, look_up_inviter
from users.devices.token_authentication import issue_token
from users.login import codes, invitations
from users.login.clients import Client, issue_known_device_token
from users.login.exceptions import AccountInactive, CodeExpired, ResendTooSoon
from users.login.fixed_codes import fixed_digits
from users.login.guess_limits import make_guess
from users.login.resend_wait import Asker, end_wait, seconds_until_resend
from users.login.send_limits import reserve_send
from users.models import Device, User
from users.phones import PhoneNumber
from users.sms import backend_class, check_destination, send_sms
from users.sms.text import last_code_text, login_code_text
from users.statistics import daily_counts


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
    *, phone_number: PhoneNumber, client: Client, invite_code: str | None = None
) -> CodeSent:
    """Send a login code, and return when the provider has accepted the SMS.

    Does not look whether the number has an account. `invite_code` (normalised) is
    remembered for this number and address. Raises CountryNotServed,
    NumberCannotReceiveSms, InviteCodeUnknown, ResendTooSoon, LimitReached,
    ChallengeRequired, SmsUnavailable (the number may ask again at once), and SmsUnsure
    (the code stays valid, because it may arrive).
    """
    check_destination(phone_number)
    if invite_code:
        look_up_inviter(invite_code, address=client.address)
        invitations.remember(invite_code, phone_number, client)
    return send_code(phone_number, login_code_text(), client)


def send_code(
    phone_number: PhoneNumber,
    text: str,
    client: Client,
    *,
    purpose: str = codes.SIGN_IN,
) -> CodeSent:
    """Send `text` with the living code, or a new one, in place of `%(code)s`.

    Returns without sending if the last code that the number may get for now is alive.
    Raises ResendTooSoon, LimitReached, ChallengeRequired, SmsUnavailable and SmsUnsure.
    """
    is_sign_in = purpose == codes.SIGN_IN
    try:
        with reserve_send(phone_number, client, is_sign_in=is_sign_in) as send:
            code = codes.issue(
                phone_number,
                length=send.code_length,
                fixed=fixed_digits(phone_number) if is_sign_in else None,
                purpose=purpose,
                last_for=send.last_for,
            )
            if code.is_last:
                text = last_code_text(code.seconds_left)
            if not code.is_fixed:
                _release_database()
                with slot_released():
                    send_sms(
                        phone_number=phone_number, text=text % {"code": code.digits}
                    )
    except ResendTooSoon:
        if last := _living_last_code(phone_number, purpose):
            return _code_sent(
                phone_number, last, last.seconds_left, was_sent_before=True
            )
        raise
    audit.record(
        "code.sent",
        phone=phone_number.masked,
        address=keyed_address(client.address),
        digits=code.length,
    )
    with suppress(DatabaseError, RedisError):  # the SMS is on its way: do not fail now
        daily_counts.counted(send.sent_today)
    return _code_sent(phone_number, code, math.ceil(send.next_at - time.time()))


def sent_code(
    phone_number: PhoneNumber, client: Client, *, purpose: str = codes.SIGN_IN
) -> CodeSent | None:
    """What `send_code` returned, as it is now. None if no code is alive."""
    code = codes.find(phone_number, purpose)
    if code is None or not code.is_alive():
        return None
    known_device = client.known_device(phone_number)
    asker = Asker.of(known_device, is_sign_in=purpose == codes.SIGN_IN)
    return _code_sent(phone_number, code, seconds_until_resend(phone_number, asker))


def sign_in(
    *,
    phone_number: PhoneNumber,
    digits: str,
    client: Client,
    invite_code: str | None = None,
    recall_invite_code: Callable[[], str | None] | None = None,
    issue: IssueToken = issue_token,
) -> SignedIn:
    """Exchange a login code for a token. The first sign-in creates the account.

    `invite_code` was sent with this request, and is refused if it cannot be activated.
    `recall_invite_code` returns one that this client accepted before, if any. It is
    called for new accounts only, and the code is activated if it can be: people who
    have an account are asked again. `issue` makes the token.

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
        user, is_new = User.objects.lock_or_create(phone_number)
        if not user.is_active:
            raise AccountInactive
        if code.is_fixed and user.is_staff:
            raise CodeExpired  # others know a fixed code: it opens no staff account
        had_activated = bool(user.activated_invite_code)
        refusal = None
        if invite_code and not had_activated:
            _activate(user, invite_code, client)
        elif is_new and recall_invite_code and (recalled := recall_invite_code()):
            try:
                _activate(user, recalled, client)
            except Refusal as refused:  # its sender cannot correct it now
                refusal = refused
        User.objects.filter(pk=user.pk).update(last_login=timezone.now())
        device, token = issue(user=user, user_agent=client.user_agent)
        code.spend()
        # Robust: the user is signed in, whatever fails now.
        transaction.on_commit(
            lambda: _announce(user, is_new, device, client), robust=True
        )
    with suppress(RedisError):  # likewise
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


def _living_last_code(
    phone_number: PhoneNumber, purpose: str
) -> codes.LoginCode | None:
    code = codes.find(phone_number, purpose)
    if code is None or not code.is_last:
        return None
    if not code.is_alive():
        # The code was spent, but ending the wait failed then, for example in an outage.
        end_wait(phone_number)
        return None
    return code


def _code_sent(
    phone_number: PhoneNumber,
    code: codes.LoginCode,
    resend_in: int,
    *,
    was_sent_before: bool = False,
) -> CodeSent:
    show = settings.SHOW_LOGIN_CODES and backend_class().simulated
    return CodeSent(
        phone_number=phone_number,
        expires_in=code.seconds_left,
        resend_in=max(resend_in, 0),
        code_length=code.length,
        dev_code=code.digits if show else None,
        was_sent_before=was_sent_before,
    )


def _activate(user: User, invite_code: str, client: Client) -> None:
    user.activation = activate_invite_code(
        invitee=user, code=invite_code, address=client.address
    )


def _announce(user: User, is_new_user: bool, device: Device, client: Client) -> None:
    audit.record(
        "signed_in",
        user=user.pk,
        is_new_user=is_new_user,
        device=device.pk,
        address=keyed_address(client.address),
    )
    daily_counts.count(daily_counts.SIGN_INS)
