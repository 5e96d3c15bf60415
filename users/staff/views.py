"""What staff may read about people. Each read is recorded in the audit trail."""

from collections.abc import Iterable

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext_lazy as _
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from drf_standardized_errors.openapi_validation_errors import extend_validation_errors
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.pagination import NewestFirstPagination
from config.api.schema import refuses
from config.monitoring import audit
from config.public_url import public_url
from config.server.replica import alias_for_long_reads
from referrals.models import MOST_COUNTED, bounded_count
from users.models import Device, User
from users.staff import examples
from users.staff.credentials import address_of
from users.staff.exceptions import SinceUnknown, StaffOnly
from users.staff.filters import PersonFilter
from users.staff.ledger import read_ledger
from users.staff.permissions import IsStaff
from users.staff.serializers import (
    LedgerPageSerializer,
    LedgerQuerySerializer,
    PersonDetailSerializer,
    PersonSerializer,
    ServiceStatsSerializer,
)
from users.statistics.dashboard import funnel
from users.statistics.last_days import last_days


class PersonPagination(NewestFirstPagination):
    ordering = ("-date_joined", "-id")


class PersonListView(ListAPIView[User]):
    schema_tags = ["Staff"]
    permission_classes = [IsStaff]
    serializer_class = PersonSerializer
    pagination_class = PersonPagination
    filter_backends = [DjangoFilterBackend]
    filterset_class = PersonFilter

    def get_queryset(self) -> QuerySet[User]:
        people = User.objects.using(alias_for_long_reads())
        return people.select_related("activation")

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
        description=_("The read is recorded in the audit trail."),
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
        description=_("Counted once a minute at most. Days are in UTC."),
        responses=ServiceStatsSerializer,
        examples=examples.SERVICE_STATS,
    )
    @refuses(StaffOnly)
    def get(self, request: Request) -> Response:
        stats = last_days()
        stats["funnel_per_day"] = funnel(stats)
        return Response(ServiceStatsSerializer(stats).data)


@extend_validation_errors(
    ["invalid", "max_string_length", "max_value", "min_value"],
    field_name="since",
    methods=["get"],
)
class LedgerView(APIView):
    schema_tags = ["Staff"]
    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="list_ledger",
        summary=_("The ledger, for those who pay rewards"),
        description=_(
            "Activations, corrections, deleted accounts and changed numbers, the "
            "oldest first, 500 a page. Follow `next`. Later go on with `since`: the "
            "`position` of the last entry that you have. No entry is ever added before "
            "a position that you have seen. An entry has the `id` and the data of its "
            "webhook: ignore an id that you know."
        ),
        parameters=[LedgerQuerySerializer],
        responses=LedgerPageSerializer,
        examples=examples.LEDGER,
    )
    @refuses(SinceUnknown, StaffOnly)
    def get(self, request: Request) -> Response:
        query = LedgerQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        since = query.validated_data["since"]
        entries, has_more = read_ledger(since)
        audit.record(
            "ledger.read",
            staff=request.user.pk,
            since=since,
            entries=len(entries),
            address=address_of(request._request),
        )
        url = f"{request.path}?since={entries[-1].position}" if has_more else None
        url = url and public_url(request._request, url)
        page = {"next": url, "results": entries}
        return Response(LedgerPageSerializer(page).data)


def _record_read(request: Request, ids: Iterable[int]) -> None:
    audit.record(
        "people.read",
        staff=request.user.pk,
        users=" ".join(map(str, ids)),
        address=address_of(request._request),
    )
