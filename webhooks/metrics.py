import logging
from collections.abc import Iterator

from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from config.monitoring.metrics import asked_at_each_scrape
from webhooks.models import Endpoint, Event

logger = logging.getLogger(__name__)


class OutboxCollector(Collector):
    """The state of the outbox; nothing while webhooks are off."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if not settings.WEBHOOK_URL:
            return
        try:
            waiting = Event.objects.waiting().aggregate(
                number=Count("pk"), oldest=Min("created_at")
            )
            given_up = Event.objects.given_up().count()
            stopped = Endpoint.objects.current().stopped().count()
        except DatabaseError as error:
            logger.error("no outbox in /metrics: %s", type(error).__name__)
            return
        now = timezone.now()
        age = (now - (waiting["oldest"] or now)).total_seconds()
        for name, what, value in (
            ("waiting", "Webhook events that wait to be received.", waiting["number"]),
            ("oldest_seconds", "Age of the oldest waiting event.", age),
            ("given_up", "Webhook events given up, to be retried by hand.", given_up),
            ("stopped", "1: the receiver said 410 Gone, or to wait.", stopped),
        ):
            yield GaugeMetricFamily(f"referral_webhooks_{name}", what, value)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """At registration there may be no database yet."""
        return iter(())


asked_at_each_scrape.register(OutboxCollector())
