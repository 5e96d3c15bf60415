"""Moving an account to another number: a code to the old one, and a code to the new.

Both codes are for this person and this change alone. The one on the old number is worth
nothing for another new number, so that an SMS which was meant for one change, or read
out to a stranger, cannot serve another. What sends and guesses cost is counted per
number, together with those of signing in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from config.monitoring import audit
from config.refusals import NotSignedIn
from users.devices.services import sign_out_everywhere
from users.devices.token_authentication import issue_token
from users.exceptions import PhoneNumberTaken
from users.login import codes
from users.login import guess_limits as guesses
from users.login.clients import Client, issue_device_token
from users.login.exceptions import CodeExpired, CodeIncorrect, ResendTooSoon
from users.login.services import CodeSent, describe, send_code
from users.models import Device, User
from users.phone_change.exceptions import (
    NewCodeExpired,
    NewCodeIncorrect,
    OldCodeExpired,
    OldCodeIncorrect,
    PhoneNumberUnchanged,
)
from users.phones import is_served, mask_phone_number
from users.sms.exceptions import CountryNotServed

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
    device_token: str


def request_codes(*, user: User, phone_number: str, client: Client) -> CodesSent:
    """Send both codes, or the one that is still missing after a failure.

    Never looks whether the new number has an account. Raises PhoneNumberUnchanged,
    CountryNotServed, LimitReached, SmsUnavailable, SmsUnsure, and ResendTooSoon if
    there was nothing to send.
    """
    if phone_number == user.phone_number:
        raise PhoneNumberUnchanged
    if not is_served(phone_number):
        raise CountryNotServed
    purpose = _purpose(user, phone_number)
    # The old number first: its waits hold back whoever tries one number after another.
    texts = {
        user.phone_number: _(
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
            code = codes.current(number, purpose)
            if code is None or not codes.is_alive(code):
                raise
            sent.append(describe(code, client))
            too_soon.append(refusal)
    if len(too_soon) == len(sent):
        raise max(too_soon, key=lambda refusal: refusal.retry_after)
    return CodesSent(*sent)


def sent_codes(*, user: User, phone_number: str, client: Client) -> CodesSent | None:
    """What `request_codes` answered, as it stands now; None if one has ended."""
    purpose = _purpose(user, phone_number)
    sent = [codes.current(n, purpose) for n in (user.phone_number, phone_number)]
    living = [code for code in sent if code and codes.is_alive(code)]
    if len(living) < len(sent):
        return None
    return CodesSent(*(describe(code, client) for code in living))


def change_phone_number(
    *,
    user: User,
    phone_number: str,
    old_digits: str,
    new_digits: str,
    client: Client,
    user_agent: str = "",
) -> PhoneChanged:
    """Give the account the new number, and end all its devices but the one that asks.

    Whether the number is taken is judged by the constraint, after both codes were
    right. The codes are spent as the last step of the transaction. Raises Old… and
    NewCodeIncorrect, Old… and NewCodeExpired, LimitReached and PhoneNumberTaken.
    """
    purpose = _purpose(user, phone_number)
    with _named(*OLD):
        old = codes.living(user.phone_number, purpose)
    with _named(*NEW):
        new = codes.living(phone_number, purpose)
    with _named(*OLD):
        guesses.compare(old, old_digits, client)
    with _named(*NEW):
        guesses.compare(new, new_digits, client)
    with transaction.atomic():
        moved = _move(user, phone_number)
        sign_out_everywhere(moved)
        device, token = issue_token(user=moved, user_agent=user_agent)
        with _named(*OLD):
            codes.spend(old)
        with _named(*NEW):
            codes.spend(new)
        transaction.on_commit(
            partial(
                audit.record,
                "phone_number.changed",
                user=user.pk,
                old=mask_phone_number(old.phone_number),
                new=mask_phone_number(phone_number),
            )
        )
    return PhoneChanged(moved, device, token, issue_device_token(phone_number))


def _purpose(user: User, phone_number: str) -> str:
    return f" change of {user.pk} to {phone_number}"


def _move(user: User, phone_number: str) -> User:
    # Locked: of several changes at once the second finds another number than it proved.
    people = User.objects.select_for_update(of=("self",)).select_related("activation")
    moved = people.filter(pk=user.pk, is_active=True).first()
    if moved is None:
        raise NotSignedIn  # closed or deleted meanwhile
    if moved.phone_number != user.phone_number:
        raise OldCodeExpired
    moved.phone_number = phone_number
    try:
        with transaction.atomic():
            moved.save(update_fields=["phone_number"])
    except IntegrityError:
        raise PhoneNumberTaken from None
    return moved


@contextmanager
def _named(
    incorrect: type[CodeIncorrect], expired: type[CodeExpired]
) -> Iterator[None]:
    """Says of a refused code which of the two it is."""
    try:
        yield
    except CodeIncorrect as refusal:
        raise incorrect(attempts_left=refusal.attempts_left) from None
    except CodeExpired:
        raise expired from None
