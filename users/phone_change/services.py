"""Moving an account to another number, with a code to the old and one to the new.

Both codes are valid for this account and this new number only. A code that was sent for
one change, or told to a stranger, is no use for another. Sends and guesses count in the
same limits as those of signing in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from config.after_commit import after_commit
from config.monitoring import audit
from config.refusals import NotSignedIn
from referrals.ledger import person_key, record_phone_change
from users.channels import Channel, Purpose
from users.channels.exceptions import SmsUnsure
from users.channels.sending import check_channel, check_destination
from users.devices.services import sign_out_everywhere
from users.devices.token_authentication import issue_token
from users.exceptions import PhoneNumberTaken
from users.login import codes
from users.login.clients import Client, issue_known_device_token
from users.login.exceptions import CodeExpired, CodeIncorrect, ResendTooSoon
from users.login.guess_limits import make_guess
from users.login.requesting import CodeSent, send_code, sent_code
from users.mail.notices import notify_of_changed_number
from users.models import Device, User
from users.phone_change.exceptions import (
    NewCodeExpired,
    NewCodeIncorrect,
    OldCodeExpired,
    OldCodeIncorrect,
    PhoneNumberUnchanged,
)
from users.phones import PhoneNumber
from users.protection import protect_staff

OLD = (OldCodeIncorrect, OldCodeExpired)
NEW = (NewCodeIncorrect, NewCodeExpired)


@dataclass(frozen=True, slots=True)
class CodesSent:
    old_code: CodeSent
    new_code: CodeSent

    @property
    def both(self) -> tuple[CodeSent, CodeSent]:
        return self.old_code, self.new_code

    @property
    def resend_in(self) -> int:
        """Seconds until there is something to send again."""
        return min(self.old_code.resend_in, self.new_code.resend_in)


@dataclass(frozen=True, slots=True)
class PhoneChanged:
    user: User
    device: Device
    token: str
    known_device_token: str


def request_codes(
    *,
    user: User,
    phone_number: PhoneNumber,
    client: Client,
    channel: Channel | None = None,
) -> CodesSent:
    """Send both codes; after a failure, only the one that is missing.

    `channel` is tried first for each. Does not look whether the new number has an
    account. After SmsUnsure both codes are valid, because they may arrive. Raises
    PhoneNumberUnchanged, StaffAccountProtected, CountryNotServed,
    NumberCannotReceiveSms, ChannelNotOffered, LimitReached, ChallengeRequired,
    SmsUnavailable, SmsUnsure, and ResendTooSoon if there was nothing to send.
    """
    protect_staff(user, by=None)
    if phone_number == user.phone_number:
        raise PhoneNumberUnchanged
    check_destination(phone_number)
    check_channel(channel)
    scope = _scope(user, phone_number)
    # The old number first: its waits slow down people who try many new numbers.
    numbers = {
        PhoneNumber(user.phone_number): Purpose.CHANGE_FROM,
        phone_number: Purpose.CHANGE_TO,
    }
    sent: list[CodeSent] = []
    too_soon: list[ResendTooSoon] = []
    unsure: SmsUnsure | None = None
    for number, purpose in numbers.items():
        try:
            code = send_code(
                number,
                client,
                scope=scope,
                purpose=purpose,
                new_number_end=phone_number[-2:],
                picked=channel,
            )
            sent.append(code)
        except ResendTooSoon as refusal:
            already_sent = sent_code(number, client, scope=scope, purpose=purpose)
            if already_sent is None:
                raise
            sent.append(already_sent)
            too_soon.append(refusal)
        except SmsUnsure as refusal:  # if it arrives, it is of use only with the other
            unsure = refusal
    if unsure:
        raise unsure
    if len(too_soon) == len(sent):
        raise max(too_soon, key=lambda refusal: refusal.retry_after)
    return CodesSent(*sent)


def sent_codes(
    *, user: User, phone_number: PhoneNumber, client: Client
) -> CodesSent | None:
    """What `request_codes` returned, as it is now. None if a code is not alive."""
    scope = _scope(user, phone_number)
    old_code = sent_code(
        PhoneNumber(user.phone_number),
        client,
        scope=scope,
        purpose=Purpose.CHANGE_FROM,
    )
    new_code = sent_code(phone_number, client, scope=scope, purpose=Purpose.CHANGE_TO)
    return CodesSent(old_code, new_code) if old_code and new_code else None


def change_phone_number(
    *,
    user: User,
    phone_number: PhoneNumber,
    old_digits: str,
    new_digits: str,
    client: Client,
) -> PhoneChanged:
    """Give the account the new number, and sign out all its devices.

    Returns a new device with its token. Only after both codes were right does the
    constraint tell whether the number is taken. The codes are spent as the last step of
    the transaction. Raises Old… and NewCodeIncorrect, Old… and NewCodeExpired,
    LimitReached, PhoneNumberTaken and StaffAccountProtected.
    """
    protect_staff(user, by=None)
    old_number = PhoneNumber(user.phone_number)
    scope = _scope(user, phone_number)
    with _named(*OLD):
        old = codes.get(old_number, scope)
    with _named(*NEW):
        new = codes.get(phone_number, scope)
    with _named(*OLD):
        _guess(old, old_digits, old_number, client)
    with _named(*NEW):
        _guess(new, new_digits, phone_number, client)
    with transaction.atomic():
        moved = _locked(user)
        move_account(moved, phone_number)
        device, token = issue_token(user=moved, user_agent=client.user_agent)
        with _named(*OLD):
            old.spend()
        with _named(*NEW):
            new.spend()
    return PhoneChanged(moved, device, token, issue_known_device_token(moved))


def move_account(
    user: User, phone_number: PhoneNumber, *, by: User | None = None
) -> None:
    """Give the account the number and sign out all its devices, in one transaction.

    `by` is the staff member who does it, if it is not the owner. `user` is the locked
    row. Raises PhoneNumberTaken and StaffAccountProtected.
    """
    protect_staff(user, by=by)
    facts: dict[str, Any] = {
        "user": user.pk,
        "old": PhoneNumber(user.phone_number).masked,
        "new": phone_number.masked,
    }
    old_key, new_key = person_key(user.phone_number), person_key(phone_number)
    if by:
        facts["by"] = by.pk
    user.phone_number = phone_number
    with transaction.atomic():
        try:
            with transaction.atomic():
                user.save(update_fields=["phone_number"])
        except IntegrityError:
            raise PhoneNumberTaken from None
        sign_out_everywhere(user)
        if old_key != new_key:
            record_phone_change(user_id=user.pk, old_key=old_key, new_key=new_key)
        transaction.on_commit(partial(audit.record, "phone_number.changed", **facts))
        after_commit(notify_of_changed_number, user.pk, phone_number)


def _scope(user: User, phone_number: PhoneNumber) -> str:
    return f"change:{user.pk}:{phone_number.pseudonym}"


def _guess(
    code: codes.LoginCode, digits: str, phone_number: PhoneNumber, client: Client
) -> None:
    make_guess(
        code,
        digits,
        phone_number=phone_number,
        client=client,
        known_device=client.known_device(phone_number),
    )


def _locked(user: User) -> User:
    # Locked: the second of two concurrent changes sees that the number has changed.
    people = User.objects.select_for_update(of=("self",)).select_related("activation")
    locked = people.filter(pk=user.pk, is_active=True).first()
    if locked is None:
        raise NotSignedIn  # the account was closed or deleted since
    if locked.phone_number != user.phone_number:
        raise OldCodeExpired
    return locked


@contextmanager
def _named(
    incorrect: type[CodeIncorrect], expired: type[CodeExpired]
) -> Iterator[None]:
    """Tell in the refusal which of the two codes was refused."""
    try:
        yield
    except CodeIncorrect as refusal:
        raise incorrect(
            attempts_left=refusal.attempts_left, blocked_for=refusal.blocked_for
        ) from None
    except CodeExpired as refusal:
        raise expired(is_replaced=refusal.is_replaced) from None
