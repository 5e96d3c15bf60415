"""Entries for what happened before there was a ledger."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from referrals.ledger import (
    activation_entry,
    correction_entry,
    number_entries,
    person_keys,
)
from referrals.models import Correction, LedgerEntry, Referral

PEOPLE_AT_ONCE = 1000


def add_history() -> int:
    """Add the entries that are missing, some people at a time. Returns of how many.

    An entry has the same id whoever adds it, so none is added twice. No transaction
    spans the batches, so activations go on meanwhile.
    """
    looked_at = 0
    for rows in (Referral.objects.all(), Correction.objects.all()):
        for invitees in _batches(rows):
            entries = list(_entries(invitees))
            LedgerEntry.objects.bulk_create(entries, ignore_conflicts=True)
            looked_at += len(invitees)
            while number_entries():
                pass
    return looked_at


def _batches(rows: QuerySet[Any]) -> Iterator[list[int]]:
    invitees = rows.order_by("invitee_id").values_list("invitee_id", flat=True)
    last = 0
    while batch := list(
        invitees.filter(invitee_id__gt=last).distinct()[:PEOPLE_AT_ONCE]
    ):
        yield batch
        last = batch[-1]


def _entries(invitees: list[int]) -> Iterator[LedgerEntry]:
    referrals = Referral.objects.in_bulk(invitees)
    corrections = defaultdict(list)
    for row in Correction.objects.filter(invitee_id__in=invitees).order_by("pk"):
        corrections[row.invitee_id].append(row)
    people = {*invitees, *(referral.inviter_id for referral in referrals.values())}
    for rows in corrections.values():
        people |= {pk for row in rows for pk in (row.before_id, row.after_id)}
    keys = person_keys(people)
    for invitee in invitees:
        yield from _of_invitee(referrals.get(invitee), corrections[invitee], keys)


def _of_invitee(
    referral: Referral | None,
    corrections: list[Correction],
    keys: dict[int | None, str],
) -> Iterator[LedgerEntry]:
    """What was there before a correction, and no correction made, was an activation."""
    code = ""
    for correction in corrections:
        if correction.code_before and not code and correction.activated_before:
            activated = Referral(
                invitee_id=correction.invitee_id,
                inviter_id=correction.before_id,
                code_used=correction.code_before,
                created_at=correction.activated_before,
            )
            yield _activation(activated, keys)
        yield correction_entry(correction, keys, type="referral.corrected")
        code = correction.code_after
    if referral and not code:
        yield _activation(referral, keys)


def _activation(referral: Referral, keys: dict[int | None, str]) -> LedgerEntry:
    return activation_entry(
        referral, keys.get(referral.invitee_id), keys.get(referral.inviter_id)
    )
