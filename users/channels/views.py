import json
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.schema import refuses
from config.refusals import LimitReached, NotFound
from limits.addresses import client_address
from limits.budgets import attempt, reserve
from users.channels import deliveries, telegram
from users.channels.exceptions import DeliveryUnknown
from users.channels.serializers import DeliverySerializer
from users.examples import answer


class DeliveryView(APIView):
    schema_tags = ["Sign in"]
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="get_delivery",
        summary=_("Whether a code arrived"),
        description=_(
            "With the `delivery_id` that request-code answered, until the code "
            "expires. Ask every four seconds at most, and stop when `status` is no "
            "longer `sent`."
        ),
        responses=DeliverySerializer,
        examples=[answer("Delivered", {"channel": "telegram", "status": "delivered"})],
    )
    @refuses(DeliveryUnknown, LimitReached)
    def get(self, request: Request, delivery_id: str) -> Response:
        address = client_address(request._request)
        reserve(attempt("delivery_reads_per_address", address))
        delivery = deliveries.get(delivery_id)
        status = deliveries.ask(delivery)
        told = {"channel": delivery.channel, "status": status}
        return Response(DeliverySerializer(told).data)


class TelegramCallbackView(APIView):
    """Telegram Gateway tells here what became of a message."""

    authentication_classes = []
    permission_classes = [AllowAny]
    schema = None  # not for clients

    def post(self, request: Request) -> Response:
        if not settings.TELEGRAM_GATEWAY_TOKEN:
            raise NotFound
        body = request._request.body  # as it was signed
        if not telegram.is_signed(
            body,
            timestamp=request.headers.get("X-Request-Timestamp", ""),
            signature=request.headers.get("X-Request-Signature", ""),
        ):
            raise PermissionDenied
        _store(body)
        return Response({})


def _store(body: bytes) -> None:
    """Ignore what we do not know, or Telegram would send it again and again."""
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        return
    payload = said.get("payload") if isinstance(said, dict) else None
    if not isinstance(payload, str):
        return
    try:
        delivery = deliveries.get(payload)
    except DeliveryUnknown:
        return
    if said.get("request_id") == delivery.provider_id:
        deliveries.update(delivery, telegram.status_in(said))
