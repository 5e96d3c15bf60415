import math
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone
from redis.exceptions import RedisError

from config.monitoring import audit
from config.refusals import Refusal
from config.server.request_queue import stepping_aside
from referrals.exceptions import InviteCodeAlreadyActivated
from referrals.services import activate_invite_code, look_up_inviter
from users.devices.token_authentication import issue_token
from users.login import codes
from users.login import guess_limits as guesses
from users.login import send_limits as sending
from users.login.clients import Client, issue_device_token
from users.login.exceptions import AccountInactive, CodeExpired
from users.models import Device, User
from users.phones import is_served, mask_phone_number
from users.signals import signed_in
from users.sms import backend_class, send_sms
from users.sms.exceptions import CountryNotServed
from users.sms.text import login_code_text
from users.statistics import daily_counts as daily
from webhooks.services import record_event


@dataclass(frozen=True, slots=True)
class CodeSent:
    """A login code on its way, as far as whoever asked for it may know."""

    phone_number: str
    expires_in: int  # seconds
    resend_in: int  # seconds
    code_length: int
    dev_code: str | None  # only where SHOW_LOGIN_CODES allows it

    @property
    def minutes(self) -> int:
        """Whole minutes that the code is valid for, as people say it."""
        return max(round(self.expires_in / 60), 1)


@dataclass(frozen=True, slots=True)
class SignedIn:
    user: User
    device: Device
    token: str
    device_token: str
    is_new_user: bool
    invite_code_applied: bool
    invite_code_refusal: Refusal | None  # why a code that came along did not count


class IssueToken(Protocol):
    def __call__(self, *, user: User, user_agent: str) -> tuple[Device, str]: ...


def request_code(
    *, phone_number: str, client: Client, invite_code: str | None = None
) -> CodeSent:
    """Send a login code and return when the SMS is accepted.

    Never looks whether the number has an account. `invite_code` (normalised) is kept
    for the sign-in. Raises CountryNotServed, InviteCodeUnknown, ResendTooSoon,
    LimitReached, SmsUnavailable, after which the number may ask again at once, and
    SmsUnsure, after which the code lives, for it may have arrived.
    """
    if not is_served(phone_number):
        raise CountryNotServed
    if invite_code:
        look_up_inviter(invite_code, address=client.address)
    return send_code(phone_number, login_code_text(), client, invite_code=invite_code)


def send_code(
    phone_number: str,
    text: str,
    client: Client,
    *,
    purpose: str = codes.SIGN_IN,
    invite_code: str | None = None,
) -> CodeSent:
    """Put the living code, or else a new one, in place of `%(code)s`, and send that.

    Raises ResendTooSoon, LimitReached, SmsUnavailable and SmsUnsure.
    """
    with sending.reserve(phone_number, client) as send:
        code = codes.issue(
            phone_number,
            length=send.code_length,
            purpose=purpose,
            invite_code=invite_code,
        )
        if not code.is_fixed:
            _release_database()
            with stepping_aside():
                send_sms(phone_number=phone_number, text=text % {"code": code.digits})
    audit.record("code.sent", phone=mask_phone_number(phone_number), digits=code.length)
    with suppress(DatabaseError, RedisError):  # the SMS is on its way: no 503 for this
        daily.counted(send.number_today)
    return _describe(code, math.ceil(send.next_at - time.time()))


def seconds_until_resend(phone_number: str, client: Client) -> int:
    return codes.resend_in(phone_number, by_known_device=client.knows(phone_number))


def sent_code(phone_number: str, client: Client) -> CodeSent | None:
    """What `request_code` answered, as it stands now; None if no code lives."""
    code = codes.current(phone_number)
    return describe(code, client) if code and codes.is_alive(code) else None


def describe(code: codes.LoginCode, client: Client) -> CodeSent:
    return _describe(code, seconds_until_resend(code.phone_number, client))


def sign_in(
    *,
    phone_number: str,
    digits: str,
    client: Client,
    invite_code: str | None = None,
    brought_invite_code: str | None = None,
    user_agent: str = "",
    issue: IssueToken = issue_token,
) -> SignedIn:
    """Exchange a login code for a token, creating the account at the first time.

    `invite_code` is refused by name when it does not fit; `brought_invite_code`, from a
    link followed earlier, and the one of the code request are used if they fit. `issue`
    makes the kind of token that is wanted.

    The code is spent as the last step of the transaction: whatever is refused or fails
    before leaves no row and a living code, and of several requests with the right code
    all but one are rolled back. Raises CodeIncorrect, CodeExpired, LimitReached,
    AccountInactive, InviteCodeUnknown and InviteCodeOwn.
    """
    code = codes.living(phone_number)
    guesses.compare(code, digits, client)
    brought = [c for c in (brought_invite_code, code.invite_code) if c]
    with transaction.atomic():
        user, is_new = _find_or_create_user(phone_number)
        if not user.is_active:
            raise AccountInactive
        if code.is_fixed and user.is_staff:
            raise CodeExpired  # a code that others know opens no staff account
        refusal = _apply_invite_code(user, given=invite_code, brought=brought)
        User.objects.filter(pk=user.pk).update(last_login=timezone.now())
        device, token = issue(user=user, user_agent=user_agent)
        codes.spend(code)
        transaction.on_commit(partial(_announce, user, is_new, device))
    has_invite_code = bool(invite_code or brought)
    return SignedIn(
        user=user,
        device=device,
        token=token,
        device_token=issue_device_token(phone_number),
        is_new_user=is_new,
        invite_code_applied=has_invite_code and refusal is None,
        invite_code_refusal=refusal if has_invite_code else None,
    )


def _release_database() -> None:
    """Nobody shall wait for a connection that only waits for an SMS."""
    if not connection.in_atomic_block:
        connection.close()


def _announce(user: User, is_new_user: bool, device: Device) -> None:
    audit.record("signed_in", user=user.pk, is_new_user=is_new_user, device=device.pk)
    signed_in.send_robust(User, user=user, is_new_user=is_new_user)


def _describe(code: codes.LoginCode, resend_in: int) -> CodeSent:
    show = settings.SHOW_LOGIN_CODES and backend_class().simulated
    return CodeSent(
        phone_number=code.phone_number,
        expires_in=code.seconds_left,
        resend_in=max(resend_in, 0),
        code_length=code.length,
        dev_code=code.digits if show else None,
    )


def _find_or_create_user(phone_number: str) -> tuple[User, bool]:
    # Locked, so that nobody deletes the account between here and the commit. Others may
    # refer to it: two people who bring each other's invite codes would deadlock.
    locked = User.objects.select_for_update(of=("self",), no_key=True)
    users = locked.select_related("activation")
    with suppress(User.DoesNotExist):
        return users.get(phone_number=phone_number), False
    try:
        user = User.objects.create_user(phone_number)
    except IntegrityError:  # another first sign-in of this number was faster
        return users.get(phone_number=phone_number), False
    record_event(
        type="user.created",
        data={
            "user_id": user.pk,
            "invite_code": user.invite_code,
            "created_at": user.date_joined.isoformat(),
        },
    )
    return user, True


def _apply_invite_code(
    user: User, *, given: str | None, brought: list[str]
) -> Refusal | None:
    """The first of the codes that fits; what stood in the way if none did.

    Raises the refusal of a `given` code; `brought` ones were not sent with this
    request, so there is nothing here to correct.
    """
    if user.activated_invite_code:
        return InviteCodeAlreadyActivated()
    if given:
        user.activation = activate_invite_code(invitee=user, code=given)
        return None
    refusal = None
    for code in brought:
        try:
            user.activation = activate_invite_code(invitee=user, code=code)
        except Refusal as this:
            refusal = refusal or this
        else:
            return None
    return refusal
