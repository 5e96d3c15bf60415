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
from django.utils.translation import gettext as _

from config.monitoring import audit
from config.refusals import NotSignedIn
from users.devices.services import sign_out_everywhere
from users.devices.token_authentication import issue_token
from users.exceptions import PhoneNumberTaken
from users.login import codes
from users.login.clients import Client, issue_known_device_token
from users.login.exceptions import CodeExpired, CodeIncorrect, ResendTooSoon
from users.login.guess_limits import make_guess
from users.login.services import CodeSent, send_code, sent_code
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
from users.sms import check_destination

OLD = (OldCodeIncorrect, OldCodeExpired)
NEW = (NewCodeIncorrect, NewCodeExpired)


@dataclass(frozen=True, slots=True)
class CodesSent:
    old_code: CodeSent
    new_code: CodeSent

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
    *, user: User, phone_number: PhoneNumber, client: Client
) -> CodesSent:
    """Send both codes; after a failure, only the one that is missing.

    Does not look whether the new number has an account. Raises PhoneNumberUnchanged,
    StaffAccountProtected, CountryNotServed, NumberCannotReceiveSms, LimitReached,
    ChallengeRequired, SmsUnavailable, SmsUnsure, and ResendTooSoon if there was nothing
    to send.
    """
    protect_staff(user, by=None)
    if phone_number == user.phone_number:
        raise PhoneNumberUnchanged
    check_destination(phone_number)
    purpose = _purpose(user, phone_number)
    # The old number first: its waits slow down people who try many new numbers.
    texts = {
        PhoneNumber(user.phone_number): _(
            "%(code)s is the code to change your number to the one ending in %(end)s. "
            "Tell it to nobody."
        )
        % {"code": "%(code)s", "end": phone_number[-2:]},
        phone_number: _(
            "%(code)s is the code to move an account to this number. Tell it to nobody."
        ),
    }
    sent: list[CodeSent] = []
    too_soon: list[ResendTooSoon] = []
    for number, text in texts.items():
        try:
            sent.append(send_code(number, text, client, purpose=purpose))
        except ResendTooSoon as refusal:
            already_sent = sent_code(number, client, purpose=purpose)
            if already_sent is None:
                raise
            sent.append(already_sent)
            too_soon.append(refusal)
    if len(too_soon) == len(sent):
        raise max(too_soon, key=lambda refusal: refusal.retry_after)
    return CodesSent(*sent)


def sent_codes(
    *, user: User, phone_number: PhoneNumber, client: Client
) -> CodesSent | None:
    """What `request_codes` returned, as it is now. None if a code is not alive."""
    purpose = _purpose(user, phone_number)
    old_code = sent_code(PhoneNumber(user.phone_number), client, purpose=purpose)
    new_code = sent_code(phone_number, client, purpose=purpose)
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
    purpose = _purpose(user, phone_number)
    with _named(*OLD):
        old = codes.get(old_number, purpose)
    with _named(*NEW):
        new = codes.get(phone_number, purpose)
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
        transaction.on_commit(partial(audit.record, "phone_number.changed", **facts))


def _purpose(user: User, phone_number: PhoneNumber) -> str:
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
        raise incorrect(attempts_left=refusal.attempts_left) from None
    except CodeExpired:
        raise expired from None
