"""/healthz: the process answers. /readyz: so do PostgreSQL and Redis."""

import logging
from collections.abc import Callable

from django.core.cache import cache
from django.db import Error as DatabaseError
from django.db import connection
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.negotiation import IgnoreAcceptHeader
from config.server.redis_pool import REDIS_FAILS

logger = logging.getLogger(__name__)

STATES = ["ok", "unavailable"]
READY = OpenApiExample("Ready", value={"status": "ok", "database": "ok", "cache": "ok"})
CACHE_DOWN = OpenApiExample(
    "CacheDown",
    value={"status": "unavailable", "database": "ok", "cache": "unavailable"},
)


class HealthSerializer(serializers.Serializer[dict[str, str]]):
    status = serializers.ChoiceField(choices=["ok"])


class ReadinessSerializer(serializers.Serializer[dict[str, str]]):
    status = serializers.ChoiceField(choices=STATES)
    database = serializers.ChoiceField(choices=STATES)
    cache = serializers.ChoiceField(choices=STATES)


class HealthView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]
    content_negotiation_class = IgnoreAcceptHeader
    outage_refusals = ()  # answers during an outage, too

    @extend_schema(
        operation_id="healthz",
        summary=_("Is the process alive?"),
        description=_("Needs neither PostgreSQL nor Redis."),
        responses=HealthSerializer,
        examples=[OpenApiExample("Alive", value={"status": "ok"})],
    )
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class ReadinessView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]
    content_negotiation_class = IgnoreAcceptHeader
    outage_refusals = ()  # answers during an outage, too

    @extend_schema(
        operation_id="readyz",
        summary=_("Can the service serve requests?"),
        description=_("Names what is down."),
        responses={
            200: OpenApiResponse(ReadinessSerializer, examples=[READY]),
            503: OpenApiResponse(ReadinessSerializer, examples=[CACHE_DOWN]),
        },
    )
    def get(self, request: Request) -> Response:
        parts = {"database": _state(_ask_database), "cache": _state(_ask_cache)}
        ready = all(state == "ok" for state in parts.values())
        return Response(
            {"status": "ok" if ready else "unavailable", **parts},
            status=status.HTTP_200_OK if ready else status.HTTP_503_SERVICE_UNAVAILABLE,
        )


def _state(ask: Callable[[], object]) -> str:
    try:
        ask()
    except (DatabaseError, *REDIS_FAILS) as error:
        logger.error("not ready: %s failed with %s", ask.__name__, type(error).__name__)
        return "unavailable"
    return "ok"


class ReadOnly(DatabaseError):
    """The database answers, but takes no writes."""


def _ask_database() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW transaction_read_only")
            if cursor.fetchone() == ("on",):
                raise ReadOnly
        else:
            cursor.execute("SELECT 1")


def _ask_cache() -> None:
    """Write several keys, which a Redis Cluster spreads over all its masters.

    A replica and a full Redis refuse any write. If REDIS_URL names a node of a Redis
    Cluster as if it were one Redis, the node may take one key, but not all of them.
    """
    cache.set_many({f"readyz:{n}": 1 for n in range(16)}, timeout=60)
