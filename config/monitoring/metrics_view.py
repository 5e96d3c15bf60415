"""/metrics for Prometheus, for requests that carry METRICS_TOKEN."""

from django.conf import settings
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from prometheus_client.exposition import choose_encoder
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from config.monitoring.metrics import AllMetrics
from config.negotiation import IgnoreAcceptHeader


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
    permission_classes = []  # MetricsTokenAuthentication decides
    content_negotiation_class = IgnoreAcceptHeader
    outage_refusals = ()  # answers during an outage, too

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
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        answer = HttpResponse(encode(AllMetrics()), content_type=content_type)
        patch_vary_headers(answer, ["Accept"])
        return answer
