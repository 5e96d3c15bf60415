"""The ledger: who was credited with whom, entry by entry, for those who pay rewards.

Entries are added in the transaction of what they tell, and never change. They have no
foreign keys, so that they outlive the accounts, and contain no numbers and no names.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid4, uuid5

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.crypto import salted_hmac

from referrals.models import Correction, LedgerEntry, Referral
from webhooks.services import record_event

# Entries that one call gives positions to.
NUMBERED_AT_ONCE = 1000
# An arbitrary number, for PostgreSQL's advisory lock.
NUMBERING_LOCK = 7_205_881_940
NAMESPACE = UUID("0b3c6d2e-6c55-4f7f-9c84-5b0d1e0c8a11")


def person_key(phone_number: str) -> str:
    """Identifies a number without revealing it.

    It is the same if the account is deleted and the number signs up again, and after
    SECRET_KEY has changed: a system that pays for an invitation must not pay twice.
    """
    secret = settings.INVITEE_KEY_SECRET or None  # None: SECRET_KEY
    name = salted_hmac("referrals.invitee", phone_number, secret, algorithm="sha256")
    return name.hexdigest()


def person_keys(pks: Iterable[int | None]) -> dict[int | None, str]:
    """Keys by user id, of people who still have an account."""
    people = get_user_model()._default_manager.filter(pk__in={pk for pk in pks if pk})
    names = people.values_list("pk", get_user_model().USERNAME_FIELD)
    return {pk: person_key(name) for pk, name in names}


def record_activation(referral: Referral) -> None:
    """With the keys of now: a number may have changed since the accounts were read."""
    keys = person_keys([referral.invitee_id, referral.inviter_id])
    invitee_key, inviter_key = map(keys.get, [referral.invitee_id, referral.inviter_id])
    _record(activation_entry(referral, invitee_key, inviter_key))


def record_correction(correction: Correction, *, type: str) -> None:
    """`type` is referral.corrected or referral.reverted."""
    referral = Referral.objects.filter(invitee_id=correction.invitee_id).first()
    keys = person_keys(
        [correction.invitee_id, correction.before_id, correction.after_id]
    )
    entry = correction_entry(correction, keys, type=type)
    entry.data["activated_at"] = _text(referral.created_at if referral else None)
    for side, code in (
        ("_before", correction.code_before),
        ("", correction.code_after),
    ):
        if code and entry.data[f"inviter_id{side}"] is None:
            gone = _deleted_inviter(correction.invitee_id, code)
            entry.data[f"inviter_id{side}"], entry.data[f"inviter_key{side}"] = gone
    _record(entry)


def record_deletion(*, user_id: int, user_key: str, invite_code: str) -> None:
    now = timezone.now()
    data = {
        "user_id": user_id,
        "user_key": user_key,
        "invite_code": invite_code,
        "deleted_at": now.isoformat(),
    }
    _record(
        LedgerEntry(
            id=uuid4(), type="user.deleted", person_id=user_id, at=now, data=data
        )
    )


def record_phone_change(*, user_id: int, old_key: str, new_key: str) -> None:
    now = timezone.now()
    data = {
        "user_id": user_id,
        "user_key": new_key,
        "user_key_before": old_key,
        "changed_at": now.isoformat(),
    }
    _record(
        LedgerEntry(
            id=uuid4(), type="user.phone_changed", person_id=user_id, at=now, data=data
        )
    )


def activation_entry(
    referral: Referral, invitee_key: str | None, inviter_key: str | None
) -> LedgerEntry:
    at = referral.created_at
    name = f"activation {referral.invitee_id} {referral.code_used} {at.timestamp()}"
    return LedgerEntry(
        id=uuid5(NAMESPACE, name),
        type="referral.activated",
        person_id=referral.invitee_id,
        at=at,
        data={
            "invitee_id": referral.invitee_id,
            "invitee_key": invitee_key,
            "inviter_id": referral.inviter_id,
            "inviter_key": inviter_key,
            "invite_code": referral.code_used,
            "inviter_id_before": None,
            "inviter_key_before": None,
            "invite_code_before": None,
            "activated_at": at.isoformat(),
        },
    )


def correction_entry(
    correction: Correction, keys: dict[int | None, str], *, type: str
) -> LedgerEntry:
    """Without `activated_at`, which a correction of a standing referral lacks."""
    at = correction.created_at
    return LedgerEntry(
        id=uuid5(NAMESPACE, f"correction {correction.pk} {at.timestamp()}"),
        type=type,
        person_id=correction.invitee_id,
        at=at,
        data={
            "invitee_id": correction.invitee_id,
            "invitee_key": keys.get(correction.invitee_id),
            "inviter_id": correction.after_id,
            "inviter_key": keys.get(correction.after_id),
            "invite_code": correction.code_after or None,
            "inviter_id_before": correction.before_id,
            "inviter_key_before": keys.get(correction.before_id),
            "invite_code_before": correction.code_before or None,
            "activated_at": _text(correction.activated_before),
        },
    )


def number_entries() -> int:
    """Give positions to entries that have none. Returns how many there were.

    An entry that began earlier can be committed later. A reader that goes on after the
    last id or time that it has seen would miss it. So an entry gets its position after
    it was committed. Only one caller at a time gives positions: whoever sees a position
    sees all smaller ones too. Activations do not wait for this.
    """
    unnumbered = LedgerEntry.objects.filter(position=None).order_by("at", "id")
    if not unnumbered.exists():
        return 0
    with transaction.atomic():
        _lock_numbering()
        entries = list(unnumbered[:NUMBERED_AT_ONCE])
        last = last_position()
        for position, entry in enumerate(entries, last + 1):
            entry.position = position
        LedgerEntry.objects.bulk_update(entries, ["position"], batch_size=200)
    return len(entries)


def last_position() -> int:
    return LedgerEntry.objects.aggregate(last=Max("position"))["last"] or 0


def _lock_numbering() -> None:
    """Until the transaction ends. SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [NUMBERING_LOCK])


def _record(entry: LedgerEntry) -> None:
    """The entry and its event have the same id, time and data."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An entry needs its transaction.")
    entry.save(force_insert=True)
    record_event(type=entry.type, data=entry.data, id=entry.id, at=entry.at)


def _deleted_inviter(invitee_id: int, code: str) -> tuple[int | None, str | None]:
    """The owner of the code, according to an earlier entry of the invitee."""
    earlier = LedgerEntry.objects.filter(person_id=invitee_id).order_by("-at")
    for data in earlier.values_list("data", flat=True):
        for side in ("", "_before"):
            if data.get(f"invite_code{side}") == code and data[f"inviter_id{side}"]:
                return data[f"inviter_id{side}"], data[f"inviter_key{side}"]
    return None, None


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
