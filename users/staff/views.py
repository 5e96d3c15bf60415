"""What staff may read about people. Each read is recorded in the audit trail."""

from collections.abc import Iterable

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext_lazy as _
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.schema import refuses
from config.monitoring import audit
from referrals.models import MOST_COUNTED, bounded_count
from referrals.pagination import ReferralPagination
from users.models import Device, User
from users.staff import examples
from users.staff.credentials import address_of
from users.staff.exceptions import StaffOnly
from users.staff.filters import PersonFilter
from users.staff.permissions import IsStaff
from users.staff.serializers import (
    PersonDetailSerializer,
    PersonSerializer,
    ServiceStatsSerializer,
)
from users.statistics.last_days import last_days


class PersonPagination(ReferralPagination):
    ordering = ("-date_joined", "-id")


class PersonListView(ListAPIView[User]):
    schema_tags = ["Staff"]
    permission_classes = [IsStaff]
    serializer_class = PersonSerializer
    pagination_class = PersonPagination
    filter_backends = [DjangoFilterBackend]
    filterset_class = PersonFilter
    queryset = User.objects.select_related("activation")

    @extend_schema(
        operation_id="list_people",
        summary=_("People, to search and filter"),
        description=_("Newest first, 50 a page; follow `next`."),
        examples=examples.PEOPLE,
    )
    @refuses(StaffOnly)
    def get(self, request: Request) -> Response:
        response = super().get(request)
        _record_read(request, (row["id"] for row in response.data["results"]))
        return response


class PersonView(GenericAPIView[User]):
    schema_tags = ["Staff"]
    permission_classes = [IsStaff]
    serializer_class = PersonDetailSerializer
    lookup_url_kwarg = "user_id"

    def get_queryset(self) -> QuerySet[User]:
        referrals = bounded_count(OuterRef("pk"))
        devices = Device.objects.live().filter(user=OuterRef("pk")).order_by()
        counted = devices.values("user").annotate(number=Count("pk")).values("number")
        return User.objects.select_related("activation__inviter").annotate(
            referrals_count=Least(referrals, MOST_COUNTED),
            referrals_count_is_exact=LessThanOrEqual(referrals, MOST_COUNTED),
            devices_count=Coalesce(Subquery(counted), 0),
        )

    @extend_schema(
        operation_id="get_person",
        summary=_("One person"),
        examples=examples.PERSON,
    )
    @refuses(StaffOnly)
    def get(self, request: Request, user_id: int) -> Response:
        user = self.get_object()
        _record_read(request, [user.pk])
        return Response(self.get_serializer(user).data)


class ServiceStatsView(APIView):
    schema_tags = ["Staff"]
    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="get_service_stats",
        summary=_("How the service did in the last 30 days"),
        description=_("Counted once a minute at most. Days are those of UTC."),
        responses=ServiceStatsSerializer,
        examples=examples.SERVICE_STATS,
    )
    @refuses(StaffOnly)
    def get(self, request: Request) -> Response:
        return Response(ServiceStatsSerializer(last_days()).data)


def _record_read(request: Request, ids: Iterable[int]) -> None:
    audit.record(
        "people.read",
        staff=request.user.pk,
        users=" ".join(map(str, ids)),
        address=address_of(request._request),
    )
