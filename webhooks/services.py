"""All writes to the outbox."""

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from webhooks.models import Endpoint, Event, EventQuerySet, url_digest

logger = logging.getLogger(__name__)

SEND_SECONDS = 10  # then the attempt has failed
# Much longer than an attempt, so that no two workers send one event.
CLAIM = timedelta(seconds=SEND_SECONDS * 6)
FIRST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS = 3600
# An event that is old because no worker ran is not given up at once.
LEAST_ATTEMPTS = 12
PRUNED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an event did not arrive, and how long the receiver asked to wait."""

    error: str
    retry_after: timedelta = timedelta()
    is_gone: bool = False


def record_event(
    *,
    type: str,
    data: dict[str, Any],
    id: UUID | None = None,
    at: datetime | None = None,
) -> None:
    """Add an event to the outbox, in the transaction of what it tells.

    So the event exists if and only if that happened. Without WEBHOOK_URL it does
    nothing. The defaults are a random id, and now.
    """
    if not settings.WEBHOOK_URL:
        return
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An event needs its transaction.")
    Event.objects.create(
        id=id or uuid4(), type=type, data=data, created_at=at or timezone.now()
    )


def claim(number: int) -> list[Event]:
    """Up to `number` due events, which no other worker gets for a while."""
    if Endpoint.objects.current().stopped().exists():
        return []
    with transaction.atomic():
        # PostgreSQL skips rows that other workers are claiming right now. SQLite has no
        # row locks and needs none: it runs one transaction at a time.
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


def note_failure(event: Event, failure: Failure) -> None:
    """Retry later, after longer and longer waits; after some days, give up.

    The time that the receiver named in Retry-After is not the event's, so that `resume`
    and another WEBHOOK_URL end that wait: see `_pause_sending`.
    """
    error = failure.error
    now = timezone.now()
    attempts = event.attempts + 1
    is_old = now - event.created_at > timedelta(days=settings.WEBHOOK_GIVE_UP_DAYS)
    gives_up = is_old and attempts >= LEAST_ATTEMPTS
    # If the claim is over, another worker may have the event: leave it alone.
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
    """Make undelivered events due now. Returns how many."""
    undelivered = events.filter(delivered_at=None)
    return undelivered.update(due_at=timezone.now(), given_up_at=None, attempts=0)


def prune() -> int:
    """Delete events delivered long ago, some rows at a time. Returns how many."""
    before = timezone.now() - timedelta(days=settings.WEBHOOK_KEEP_DAYS)
    old = Event.objects.filter(delivered_at__lt=before).values("pk")
    total = 0
    while deleted := Event.objects.filter(pk__in=old[:PRUNED_AT_ONCE]).delete()[0]:
        total += deleted
    return total


def note_results(events: Sequence[Event], failures: Sequence[Failure | None]) -> None:
    """Record the result of each claimed event. None: it arrived."""
    for event, failure in zip(events, failures, strict=True):
        if failure is None:
            note_delivery(event)
        else:
            note_failure(event, failure)
    found = [failure for failure in failures if failure]
    if any(failure.is_gone for failure in found):
        _stop_sending()
    if wait := max((failure.retry_after for failure in found), default=timedelta()):
        _pause_sending(wait)


def resume() -> bool:
    """Send again. Returns whether the receiver had asked to wait or to stop."""
    stopped = Endpoint.objects.current().stopped()
    return bool(stopped.update(gone_at=None, paused_until=None))


def _stop_sending() -> None:
    """The events are kept, and wait for `resume`, or for another WEBHOOK_URL."""
    endpoint, _ = Endpoint.objects.get_or_create(url_digest=url_digest())
    sending = Endpoint.objects.filter(pk=endpoint.pk, gone_at=None)
    if sending.update(gone_at=timezone.now()):
        logger.error(
            "webhooks stopped: the receiver answered 410 Gone. To go on: "
            "manage.py deliver_webhooks --resume"
        )


def _pause_sending(wait: timedelta) -> None:
    """Several workers may be told to wait at the same time: the latest time counts."""
    until = timezone.now() + wait
    endpoint, _ = Endpoint.objects.get_or_create(url_digest=url_digest())
    ends_earlier = Q(paused_until=None) | Q(paused_until__lt=until)
    Endpoint.objects.filter(ends_earlier, pk=endpoint.pk).update(paused_until=until)


def _wait(attempts: int) -> timedelta:
    """Doubles with each attempt. Half of it is random, to spread the retries."""
    longest = min(FIRST_WAIT_SECONDS * 2 ** min(attempts - 1, 20), LONGEST_WAIT_SECONDS)
    return timedelta(seconds=longest * random.uniform(0.5, 1))  # noqa: S311  no secret
