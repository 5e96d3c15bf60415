from __future__ import annotations

import uuid
from hashlib import sha256
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

WAITING = Q(delivered_at=None, given_up_at=None)


class EventQuerySet(models.QuerySet["Event"]):
    def waiting(self) -> EventQuerySet:
        return self.filter(WAITING)

    def given_up(self) -> EventQuerySet:
        return self.filter(given_up_at__isnull=False)

    def due(self) -> EventQuerySet:
        """The longest due first. Events that a worker is sending are not due."""
        now = timezone.now()
        unclaimed = Q(claimed_until=None) | Q(claimed_until__lte=now)
        return self.waiting().filter(unclaimed, due_at__lte=now).order_by("due_at")


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def current(self) -> EndpointQuerySet:
        return self.filter(url_digest=url_digest())

    def stopped(self) -> EndpointQuerySet:
        paused = Q(paused_until__gt=timezone.now())
        return self.filter(Q(gone_at__isnull=False) | paused)


class Endpoint(models.Model):
    """What a receiver asked for: to wait (Retry-After), or to stop (410 Gone)."""

    # Not the URL, which may contain a secret.
    url_digest = models.CharField(max_length=64, primary_key=True)
    gone_at = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Endpoint]] = EndpointQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.url_digest


def url_digest() -> str:
    return sha256(settings.WEBHOOK_URL.encode()).hexdigest()


class Event(models.Model):
    """A row of the outbox: something to tell another system."""

    # Also the id by which receivers recognise an event that comes twice.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    type = models.CharField(_("type"), max_length=50)
    data = models.JSONField(_("data"))
    created_at = models.DateTimeField(_("happened at"), default=timezone.now)
    due_at = models.DateTimeField(_("next attempt at"), default=timezone.now)
    # Until then other workers leave the event to the one that claimed it.
    claimed_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=100, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True)
    given_up_at = models.DateTimeField(_("given up at"), null=True)

    objects: ClassVar[models.Manager[Event]] = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(given_up_at=None),
                name="event_is_delivered_or_given_up",
            )
        ]
        # Partial indexes: a long history of delivered events costs nothing.
        indexes = [
            models.Index(fields=["due_at"], condition=WAITING, name="event_waiting"),
            models.Index(
                fields=["delivered_at"],
                condition=Q(delivered_at__isnull=False),
                name="event_delivered",
            ),
            models.Index(
                fields=["given_up_at"],
                condition=Q(given_up_at__isnull=False),
                name="event_given_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"
