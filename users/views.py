from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.exceptions import LimitReached
from config.openapi import refuses
from limits.addresses import client_address
from referrals.exceptions import (
    InviteCodeAlreadyActivated,
    InviteCodeOwn,
    InviteCodeUnknown,
)
from referrals.services import activate_invite_code
from users import examples, services
from users.authentication import issue_token
from users.clients import Client
from users.exceptions import (
    AccountInactive,
    CodeExpired,
    CodeIncorrect,
    CountryNotServed,
    GuessesUsedUp,
    PhoneNumberInvalid,
    ResendTooSoon,
    SmsUnavailable,
    SmsUnsure,
)
from users.models import Token, User
from users.serializers import (
    ActivateInviteCodeSerializer,
    CodeSentSerializer,
    InviteCodeActivatedSerializer,
    ProfileSerializer,
    RequestCodeSerializer,
    SignedInSerializer,
    UpdateProfileSerializer,
    VerifyCodeSerializer,
)

SIGN_IN_REFUSALS = (
    PhoneNumberInvalid,
    CodeIncorrect,
    CodeExpired,
    GuessesUsedUp,
    LimitReached,
    InviteCodeUnknown,
    InviteCodeOwn,
    AccountInactive,
)


class RequestCodeView(APIView):
    schema_tags = ["Sign in"]
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="request_code",
        summary=_("Send a login code"),
        description=_(
            "Answers when the SMS is on its way, after 1–2 seconds. The same code is "
            "sent again while it lives. An invite code is kept for the sign-in."
        ),
        request=RequestCodeSerializer,
        responses=CodeSentSerializer,
        examples=examples.REQUEST_CODE,
    )
    @refuses(
        PhoneNumberInvalid,
        CountryNotServed,
        InviteCodeUnknown,
        ResendTooSoon,
        LimitReached,
        SmsUnavailable,
        SmsUnsure,
    )
    def post(self, request: Request) -> Response:
        body = RequestCodeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        sent = services.request_code(
            phone_number=data["phone_number"],
            invite_code=data.get("invite_code"),
            client=client_of(request, data),
        )
        return Response(CodeSentSerializer(sent).data)


class VerifyCodeView(APIView):
    schema_tags = ["Sign in"]
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="verify_code",
        summary=_("Sign in with the code"),
        description=_(
            "Gives a token. The first sign-in of a number creates the account. An "
            "invite code sent here goes before one sent with the code request; on an "
            "account that has activated one already it is ignored."
        ),
        request=VerifyCodeSerializer,
        responses=SignedInSerializer,
        examples=examples.VERIFY_CODE,
    )
    @refuses(*SIGN_IN_REFUSALS)
    def post(self, request: Request) -> Response:
        signed_in = sign_in(request, issue=issue_token)
        answer = SignedInSerializer(signed_in, context={"request": request})
        return Response(answer.data)


class SignedInRequest(Request):
    """For the type checker: what the default permission makes sure of."""

    user: User
    auth: Token


class LogoutView(APIView):
    schema_tags = ["Sign in"]

    @extend_schema(
        operation_id="logout",
        summary=_("Sign out this device"),
        request=None,
        responses={204: None},
    )
    def post(self, request: SignedInRequest) -> Response:
        services.sign_out(request.auth)
        return Response(status=status.HTTP_204_NO_CONTENT)


class LogoutAllView(APIView):
    schema_tags = ["Sign in"]

    @extend_schema(
        operation_id="logout_all",
        summary=_("Sign out every device"),
        request=None,
        responses={204: None},
    )
    def post(self, request: SignedInRequest) -> Response:
        services.sign_out_everywhere(request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ProfileView(APIView):
    schema_tags = ["Profile"]

    @extend_schema(
        operation_id="get_profile",
        summary=_("My profile"),
        description=_("With the 50 newest people who activated my invite code."),
        responses=ProfileSerializer,
        examples=examples.PROFILE,
    )
    def get(self, request: SignedInRequest) -> Response:
        return Response(_profile(request))

    @extend_schema(
        operation_id="activate_invite_code",
        summary=_("Activate somebody's invite code"),
        description=_("Once and for good. The same code again gives the same answer."),
        request=ActivateInviteCodeSerializer,
        responses=InviteCodeActivatedSerializer,
        examples=examples.ACTIVATE_INVITE_CODE,
    )
    @refuses(InviteCodeUnknown, InviteCodeOwn, InviteCodeAlreadyActivated, LimitReached)
    def post(self, request: SignedInRequest) -> Response:
        body = ActivateInviteCodeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        request.user.activation = activate_invite_code(
            invitee=request.user, code=body.validated_data["invite_code"]
        )
        message = _("The invite code is activated.")
        return Response({"message": message, "profile": _profile(request)})

    @extend_schema(
        operation_id="update_profile",
        summary=_("Change my name or e-mail"),
        request=UpdateProfileSerializer,
        responses=ProfileSerializer,
        examples=examples.UPDATE_PROFILE,
    )
    @refuses(LimitReached)
    def patch(self, request: SignedInRequest) -> Response:
        body = UpdateProfileSerializer(request.user, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        services.update_profile(request.user, **body.validated_data)
        return Response(_profile(request))

    @extend_schema(
        operation_id="delete_account",
        summary=_("Delete my account"),
        description=_(
            "For good and at once: devices, data and invite code go, and the number is "
            "free again. The people I invited keep the code that they activated."
        ),
        request=None,
        responses={204: None},
    )
    def delete(self, request: SignedInRequest) -> Response:
        services.delete_account(request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


def sign_in(request: Request, *, issue: services.IssueToken) -> services.SignedIn:
    body = VerifyCodeSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    data = body.validated_data
    return services.sign_in(
        phone_number=data["phone_number"],
        digits=data["code"],
        client=client_of(request, data),
        invite_code=data.get("invite_code"),
        device=request.headers.get("User-Agent", ""),
        issue=issue,
    )


def client_of(request: Request, data: dict[str, Any]) -> Client:
    return Client(
        address=client_address(request._request),
        device_token=data.get("device_token") or "",
    )


def _profile(request: SignedInRequest) -> dict[str, Any]:
    return ProfileSerializer(request.user, context={"request": request}).data
