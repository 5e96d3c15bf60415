from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.schema import refuses
from config.refusals import LimitReached
from limits.addresses import client_address
from referrals.exceptions import InviteCodeNotFound, InviteCodeUnknown
from referrals.invite_codes import normalize_invite_code
from referrals.models import Referral, ReferralQuerySet
from referrals.pagination import ReferralPagination
from referrals.serializers import (
    InviteCodeSerializer,
    ReferralSerializer,
    ReferralStatsSerializer,
)
from referrals.services import look_up_inviter

STATS_DAYS = 30


class ReferralListView(ListAPIView[Any]):
    schema_tags = ["Invites"]
    serializer_class = ReferralSerializer
    pagination_class = ReferralPagination
    queryset = Referral.objects.none()  # for the schema

    def get_queryset(self) -> ReferralQuerySet:
        inviter: Any = self.request.user
        return Referral.objects.of_inviter(inviter.pk)

    @extend_schema(
        operation_id="list_referrals",
        summary=_("Who activated my invite code"),
        description=_("Newest first, 50 a page; follow `next`."),
        examples=[
            OpenApiExample(
                "Referral",
                value={
                    "phone_number": "+79997654321",
                    "activated_at": "2026-11-21T09:30:00Z",
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        return super().get(request)


class ReferralStatsView(APIView):
    schema_tags = ["Invites"]

    @extend_schema(
        operation_id="get_stats",
        summary=_("How many activated my invite code"),
        description=_("Days are in UTC; the last one is today."),
        responses=ReferralStatsSerializer,
        examples=[
            OpenApiExample(
                "Stats",
                value={
                    "total": 12,
                    "last_7_days": 3,
                    "last_30_days": 5,
                    "per_day": [
                        {"date": "2026-11-20", "count": 1},
                        {"date": "2026-11-21", "count": 2},
                    ],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        inviter: Any = request.user
        per_day = Referral.objects.per_day(inviter.pk, days=STATS_DAYS)
        counts = list(per_day.values())
        stats = {
            "total": Referral.objects.filter(inviter=inviter).count(),
            "last_7_days": sum(counts[-7:]),
            "last_30_days": sum(counts),
            "per_day": [{"date": d, "count": n} for d, n in per_day.items()],
        }
        return Response(ReferralStatsSerializer(stats).data)


class InviteCodeView(APIView):
    schema_tags = ["Invites"]
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="get_invite_code",
        summary=_("Is there such an invite code, and whose is it?"),
        description=_(
            "Needs no token, so that people see whom they credit before they sign in. "
            "The phone number of the inviter is masked. With a token, your own limit "
            "applies, too, not only that of the address."
        ),
        parameters=[
            OpenApiParameter(
                "code", str, OpenApiParameter.PATH, description=_("In any format.")
            )
        ],
        responses=InviteCodeSerializer,
        examples=[
            OpenApiExample(
                "Real",
                value={"invite_code": "7K9QXT", "inviter": "+7999•••••67"},
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
    @refuses(InviteCodeNotFound, LimitReached)
    def get(self, request: Request, code: str) -> Response:
        try:
            inviter = look_up_inviter(
                normalize_invite_code(code) or "",
                address=client_address(request._request),
                username=request.user.get_username(),
            )
        except InviteCodeUnknown:
            raise InviteCodeNotFound from None
        return Response(InviteCodeSerializer(inviter).data)
