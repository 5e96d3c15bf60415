from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from referrals.models import Referral, ReferralQuerySet
from referrals.pagination import ReferralPagination
from referrals.serializers import ReferralSerializer


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
