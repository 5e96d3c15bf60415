"""Requesting a code, to sign in or to change a number."""

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import DatabaseError, connection

from config.monitoring import audit
from config.server.redis_pool import REDIS_FAILS
from config.server.request_queue import note_success, slot_released
from limits.addresses import keyed_address
from referrals.services import look_up_inviter
from users import number_history
from users.channels import Channel, CodeMessage, Purpose
from users.channels.sending import (
    Sent,
    channels_for,
    check_channel,
    check_destination,
    is_simulated,
    send_message,
)
from users.login import codes, invitations
from users.login.clients import Client
from users.login.exceptions import ResendTooSoon
from users.login.fixed_codes import fixed_digits
from users.login.resend_wait import Asker, end_wait, seconds_until_resend
from users.login.send_reservation import reserve_send
from users.phones import PhoneNumber
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
    # How it was sent; None if that is not known.
    channel: Channel | None = None
    # How the next one can be asked for.
    channels: Sequence[Channel] = ()
    # The channel that was picked did not work, and another one was used.
    is_fallback: bool = False
    # See `channels.deliveries`. None: the provider does not report it.
    delivery_id: str | None = None


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
                went = _deliver(message, picked)
    except ResendTooSoon:
        if last := _living_last_code(phone_number, scope):
            return _code_sent(
                phone_number, last, last.seconds_left, purpose, was_sent_before=True
            )
        raise
    channel = went.channel if went else None
    _record_sent(phone_number, client, code, channel, send.sent_today)
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


def _deliver(message: CodeMessage, picked: Channel | None) -> Sent:
    """Hold no slot and no connection to PostgreSQL while waiting for the provider."""
    if not connection.in_atomic_block:
        connection.close()
    note_success()
    with slot_released():
        return send_message(message, picked=picked)


def _record_sent(
    phone_number: PhoneNumber,
    client: Client,
    code: codes.LoginCode,
    channel: Channel | None,
    sent_today: int,
) -> None:
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
        daily_counts.counted(sent_today)


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
