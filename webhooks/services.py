"""Every write to the outbox."""

import logging
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from webhooks.models import Event, EventQuerySet

logger = logging.getLogger(__name__)

SEND_SECONDS = 10  # after which an attempt has failed
# Long after that, so that nobody sends what is being sent.
CLAIM = timedelta(seconds=SEND_SECONDS * 6)
FIRST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS = 3600
# An event that is old because no worker ran still gets more than one chance.
LEAST_ATTEMPTS = 12
PRUNED_AT_ONCE = 1000


def record_event(*, type: str, data: dict[str, Any]) -> None:
    """Put an event into the outbox, within the transaction of what it tells of.

    So it is there if and only if that happened. No URL is set: nothing is written.
    """
    if not settings.WEBHOOK_URL:
        return
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An event needs its transaction.")
    Event.objects.create(type=type, data=data)


def claim(number: int) -> list[Event]:
    """Up to so many due events, which nobody else gets for a while."""
    with transaction.atomic():
        # PostgreSQL passes over what other workers are claiming at this moment. SQLite
        # has no row locks and needs none: a transaction there is alone from its start.
        due = Event.objects.due().select_for_update(skip_locked=True)[:number]
        events = list(due)
        until = timezone.now() + CLAIM
        Event.objects.filter(pk__in=[event.pk for event in events]).update(
            claimed_until=until
        )
    for event in events:
        event.claimed_until = until
    return events


def note_delivery(event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(
        delivered_at=timezone.now(),
        given_up_at=None,
        claimed_until=None,
        attempts=event.attempts + 1,
        last_error="",
    )


def note_failure(event: Event, error: str) -> None:
    """Try again later, each time a longer while; after days of that, give up."""
    now = timezone.now()
    attempts = event.attempts + 1
    is_old = now - event.created_at > timedelta(days=settings.WEBHOOK_GIVE_UP_DAYS)
    gives_up = is_old and attempts >= LEAST_ATTEMPTS
    # Who comes back after the claim is over says nothing about whoever has it now.
    claimed = Event.objects.waiting().filter(claimed_until=event.claimed_until)
    claimed.filter(pk=event.pk).update(
        due_at=now + _wait(attempts),
        given_up_at=now if gives_up else None,
        claimed_until=None,
        attempts=attempts,
        last_error=error[:100],
    )
    if gives_up:
        logger.error(
            "webhook given up: %s after %s attempts, %s", event, attempts, error
        )


def retry(events: EventQuerySet) -> int:
    """Make those that are not delivered due now, from the start; how many."""
    undelivered = events.filter(delivered_at=None)
    return undelivered.update(due_at=timezone.now(), given_up_at=None, attempts=0)


def prune() -> int:
    """Delete what was delivered long ago, a few rows at a time; how many."""
    before = timezone.now() - timedelta(days=settings.WEBHOOK_KEEP_DAYS)
    old = Event.objects.filter(delivered_at__lt=before).values("pk")
    total = 0
    while deleted := Event.objects.filter(pk__in=old[:PRUNED_AT_ONCE]).delete()[0]:
        total += deleted
    return total


def note_results(events: Sequence[Event], errors: Sequence[str | None]) -> None:
    """Write down how the sending of claimed events went; None: it arrived."""
    for event, error in zip(events, errors, strict=True):
        if error is None:
            note_delivery(event)
        else:
            note_failure(event, error)


def _wait(attempts: int) -> timedelta:
    """Doubles with each attempt; half of it is chance, so that failures spread out."""
    longest = min(FIRST_WAIT_SECONDS * 2 ** min(attempts - 1, 20), LONGEST_WAIT_SECONDS)
    return timedelta(seconds=longest * random.uniform(0.5, 1))  # noqa: S311  no secret
