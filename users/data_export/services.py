"""What the service keeps about a person, for that person, as JSON.

Other people are in it only as the profile shows them. The inviter's number is masked;
numbers of invited people are shown in full. Ledger entries are exported without the
inviter's id and key. Notes of staff and the counts of limits are left out. So are
tokens, digests and keys of devices: the file must not let anybody into the account.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from config.monitoring import audit
from config.refusals import NotFound
from config.server.redis_pool import REDIS_FAILS
from config.server.request_queue import Kind, slot
from limits.budgets import attempt, reserve
from referrals.models import LedgerEntry, Referral, ReferralQuerySet
from users import number_history
from users.models import Device, User, VerifiedEmail
from users.phones import PhoneNumber

REFERRALS_AT_ONCE = 1000

Row = dict[str, Any]


def export_data(user: User) -> Iterator[str]:
    """The document, in pieces. Raises LimitReached, and NotFound without DATA_EXPORT.

    Everything except the referrals is read before the answer begins, so that an outage
    is answered with 503 instead of a broken file.
    """
    if not settings.DATA_EXPORT:
        raise NotFound
    download = reserve(attempt("data_exports_per_user", str(user.pk)))
    try:
        document = _document(user)
    except (DatabaseError, *REDIS_FAILS):
        with suppress(*REDIS_FAILS):
            download.refund()  # an outage must not use up the person's downloads
        raise
    audit.record("data.exported", user=user.pk)
    return _pieces(document, user)


def file_name() -> str:
    return f"my-data-{timezone.now().date().isoformat()}.json"


def _document(user: User) -> Row:
    return {
        "exported_at": timezone.now(),
        "account": _account(user),
        "invite_codes": _invite_codes(user),
        "activated_invite_code": _activated_invite_code(user),
        "corrections_of_inviter": _corrections(user),
        "devices": _devices(user),
        "number_history": _number_history(user),
        "terms": list(user.terms_acceptances.values("version", "accepted_at")),
        "ledger": _ledger(user),
    }


def _account(user: User) -> Row:
    names = ("id", "phone_number", "first_name", "last_name", "email", "is_staff")
    verified: VerifiedEmail | None = getattr(user, "verified_email", None)
    dates = {
        "email_verified_at": verified.verified_at if verified else None,
        "joined_at": user.date_joined,
        "last_sign_in_at": user.last_login,
    }
    return {name: getattr(user, name) for name in names} | dates


def _invite_codes(user: User) -> list[Row]:
    """The current one first, then those that it replaced."""
    replaced = user.replaced_invite_codes.order_by("-created_at")
    return [
        {"code": user.invite_code, "works": True, "replaced_at": None},
        *(
            {"code": old.code, "works": old.is_honoured, "replaced_at": old.created_at}
            for old in replaced
        ),
    ]


def _activated_invite_code(user: User) -> Row | None:
    activation: Referral | None = getattr(user, "activation", None)
    if activation is None:
        return None
    inviter = activation.inviter
    return {
        "code": activation.code_used,
        "activated_at": activation.created_at,
        "came_by": activation.came_by,
        "inviter": inviter.public_name if isinstance(inviter, User) else None,
    }


def _corrections(user: User) -> list[Row]:
    return [
        {
            "code_before": row.code_before or None,
            "code_after": row.code_after or None,
            "corrected_at": row.created_at,
        }
        for row in user.corrections.order_by("created_at")
    ]


def _devices(user: User) -> list[Row]:
    """Also those that have expired, until they are deleted."""
    return [
        {
            "id": device.pk,
            "name": device.name,
            "device": device.user_agent,
            "created_at": device.created_at,
            "last_used_at": device.last_used_at,
            "expires_at": device.expires_at,
        }
        for device in Device.objects.filter(user=user).order_by("pk")
    ]


def _number_history(user: User) -> list[Row]:
    """Since the number is this person's: it may have had another owner before."""
    moves = LedgerEntry.objects.filter(person_id=user.pk, type="user.phone_changed")
    moved_at = moves.order_by("at").values_list("at", flat=True).last()
    since = max(user.date_joined, moved_at or user.date_joined)
    entries = number_history.history(PhoneNumber(user.phone_number).pseudonym)
    return [
        {"at": entry.at, "event": entry.event, "about": entry.about}
        for entry in entries
        if entry.at >= since
    ]


def _ledger(user: User) -> list[Row]:
    entries = LedgerEntry.objects.filter(person_id=user.pk).order_by("at", "id")
    return [
        {
            "id": entry.pk,
            "type": entry.type,
            "at": entry.at,
            "data": {
                name: value
                for name, value in entry.data.items()
                if not name.startswith("inviter_")
            },
        }
        for entry in entries
    ]


def _pieces(document: Row, user: User) -> Iterator[str]:
    """The document, with `referrals` as its last member."""
    # Cut off the closing brace; the last piece adds it again.
    members = _json(document, indent=2).removesuffix("}").rstrip()
    yield f'{members},\n  "referrals": ['
    separator = "\n    "
    for rows in _referrals(user):
        yield separator + ",\n    ".join(map(_json, rows))
        separator = ",\n    "
    yield "\n  ]\n}\n"


def _referrals(user: User) -> Iterator[list[Row]]:
    """As the profile shows them, newest first, REFERRALS_AT_ONCE at a time."""
    everybody = Referral.objects.of_inviter(user.pk)
    rows = _read(everybody)
    while rows:
        yield [
            {"phone_number": row.invitee_name, "activated_at": row.created_at}
            for row in rows
        ]
        at, pk = rows[-1].created_at, rows[-1].pk
        older = Q(created_at__lt=at) | Q(invitee_id__lt=pk)
        rows = _read(everybody.filter(older, created_at__lte=at))


def _read(referrals: ReferralQuerySet) -> list[Any]:
    # Hold a slot and a connection only while reading this batch: clients may download
    # slowly.
    with slot(Kind.RESUMED):
        return list(referrals[:REFERRALS_AT_ONCE])


def _json(value: Row, indent: int | None = None) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, indent=indent)
