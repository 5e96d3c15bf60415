from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.schema import refuses
from config.refusals import LimitReached
from limits.addresses import client_address
from referrals.came_by import CameBy
from referrals.exceptions import (
    InviteCodeAlreadyActivated,
    InviteCodeOwn,
    InviteCodeUnknown,
)
from referrals.pagination import first_referrals
from referrals.services import activate_invite_code
from users.exceptions import StaffAccountProtected
from users.profile import examples, services
from users.profile.serializers import (
    ActivateInviteCodeSerializer,
    InviteCodeActivatedSerializer,
    ProfileSerializer,
    UpdateProfileSerializer,
)
from users.requests import SignedInRequest
from users.terms.services import terms_of


class ProfileView(APIView):
    schema_tags = ["Profile"]

    @extend_schema(
        operation_id="get_profile",
        summary=_("My profile"),
        description=_("With the 50 newest people who activated my invite code."),
        responses=ProfileSerializer,
        examples=examples.GET_PROFILE,
    )
    def get(self, request: SignedInRequest) -> Response:
        return Response(_profile(request))

    @extend_schema(
        operation_id="activate_invite_code",
        summary=_("Activate somebody's invite code"),
        description=_(
            "Only once, and permanently. The same code again gets the same answer."
        ),
        request=ActivateInviteCodeSerializer,
        responses=InviteCodeActivatedSerializer,
        examples=examples.ACTIVATE_INVITE_CODE,
    )
    @refuses(InviteCodeUnknown, InviteCodeOwn, InviteCodeAlreadyActivated, LimitReached)
    def post(self, request: SignedInRequest) -> Response:
        body = ActivateInviteCodeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        request.user.activation = activate_invite_code(
            invitee=request.user,
            code=body.validated_data["invite_code"],
            address=client_address(request._request),
            came_by=CameBy.API,
        )
        message = _("The invite code has been activated.")
        return Response({"message": message, "profile": _profile(request)})

    @extend_schema(
        operation_id="update_profile",
        summary=_("Change my name or e-mail"),
        description=_("Fields that are not sent stay as they are."),
        request=UpdateProfileSerializer,
        responses=ProfileSerializer,
        examples=examples.UPDATE_PROFILE,
    )
    @refuses(LimitReached)
    def patch(self, request: SignedInRequest) -> Response:
        body = UpdateProfileSerializer(request.user, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        sent = services.update_profile(request.user, **body.validated_data)
        return Response(_profile(request, email_link_sent=sent))

    @extend_schema(
        operation_id="delete_account",
        summary=_("Delete my account"),
        description=_(
            "Permanently and at once: devices, data and invite code are deleted, and "
            "the number is free again. The people I invited keep the code that they "
            "activated."
        ),
        request=None,
        responses={204: None},
    )
    @refuses(StaffAccountProtected)
    def delete(self, request: SignedInRequest) -> Response:
        services.delete_account(request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _profile(
    request: SignedInRequest, *, email_link_sent: bool | None = None
) -> dict[str, Any]:
    profile = services.Profile(
        request.user,
        first_referrals(request.user, request),
        terms_of(request.user),
        email_link_sent,
    )
    return ProfileSerializer(profile, context={"request": request}).data
