"""/metrics: what Prometheus reads, for whoever has METRICS_TOKEN."""

import logging
from collections.abc import Iterator

from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import Count, Min
from django.http import HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from config.monitoring.metrics import collected
from webhooks.models import Event

logger = logging.getLogger(__name__)


class MetricsTokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> None:
        """Raises NotFound while /metrics is off, and AuthenticationFailed."""
        token = settings.METRICS_TOKEN
        if not token and not settings.DEBUG:
            raise NotFound
        given = get_authorization_header(request)
        if token and not constant_time_compare(given, f"Bearer {token}".encode()):
            raise AuthenticationFailed

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class MetricsView(APIView):
    authentication_classes = [MetricsTokenAuthentication]
    permission_classes = [AllowAny]
    outage_refusals = ()  # an outage is what they report

    @extend_schema(
        operation_id="metrics",
        summary=_("Metrics for Prometheus"),
        description=_("Off unless `METRICS_TOKEN` is set."),
        responses={
            (200, "text/plain"): OpenApiResponse(
                OpenApiTypes.STR,
                examples=[
                    OpenApiExample(
                        "Metrics",
                        value='referral_events_total{event="code.sent"} 7.0\n',
                    )
                ],
            )
        },
    )
    def get(self, request: Request) -> HttpResponse:
        text = generate_latest(collected())
        if settings.WEBHOOK_URL:
            text += generate_latest(_outbox())
        return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


class OutboxCollector(Collector):
    """Asked of the database at each scrape: every machine tells the same."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            waiting = Event.objects.waiting().aggregate(
                number=Count("pk"), oldest=Min("created_at")
            )
            given_up = Event.objects.given_up().count()
        except DatabaseError as error:
            logger.error("no outbox in /metrics: %s", type(error).__name__)
            return
        now = timezone.now()
        age = (now - (waiting["oldest"] or now)).total_seconds()
        for name, what, value in (
            ("waiting", "Webhook events that wait to be received.", waiting["number"]),
            ("oldest_seconds", "Age of the oldest that waits.", age),
            ("given_up", "Webhook events given up, to be retried by hand.", given_up),
        ):
            yield GaugeMetricFamily(f"referral_webhooks_{name}", what, value)


def _outbox() -> CollectorRegistry:
    # Not one registry with the counts, which is another for each way of running.
    registry = CollectorRegistry()
    registry.register(OutboxCollector())
    return registry
