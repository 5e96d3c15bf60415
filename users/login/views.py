from functools import partial

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.schema import refuses
from config.api.serializers import read, represent
from config.refusals import LimitReached
from referrals.exceptions import (
    InviteCodeOwn,
    InviteCodeUnknown,
)
from users.challenges.exceptions import ChallengeRequired
from users.channels.exceptions import (
    ChannelNotOffered,
    CountryNotServed,
    NumberCannotReceiveSms,
    SmsUnavailable,
    SmsUnsure,
)
from users.devices import jwt_tokens
from users.devices.token_authentication import issue_token
from users.exceptions import PhoneNumberInvalid
from users.login import examples, invitations, requesting, signing_in
from users.login.clients import Client
from users.login.exceptions import (
    AccountInactive,
    CodeExpired,
    CodeIncorrect,
    GuessesUsedUp,
    ResendTooSoon,
)
from users.login.serializers import (
    CodeSentSerializer,
    JwtSignedInSerializer,
    RequestCodeSerializer,
    SignedInSerializer,
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
        summary=_("Send a sign-in code"),
        description=_(
            "Answers when the message is on its way, after 1–2 seconds. The same code "
            "is sent again while it is valid. An invite code is kept for an hour: it "
            "counts if the sign-in creates a new account and comes from the same "
            "address."
        ),
        request=RequestCodeSerializer,
        responses=CodeSentSerializer,
        examples=examples.REQUEST_CODE,
    )
    @refuses(
        PhoneNumberInvalid,
        CountryNotServed,
        NumberCannotReceiveSms,
        ChannelNotOffered,
        InviteCodeUnknown,
        ResendTooSoon,
        ChallengeRequired,
        LimitReached,
        SmsUnavailable,
        SmsUnsure,
    )
    def post(self, request: Request) -> Response:
        data = read(RequestCodeSerializer, request.data)
        sent = requesting.request_code(
            phone_number=data["phone_number"],
            invite_code=data.get("invite_code"),
            channel=data.get("channel"),
            client=Client.of(
                request._request,
                data.get("device_token", ""),
                challenge_solution=data.get("challenge", ""),
            ),
        )
        return Response(represent(CodeSentSerializer, sent))


class VerifyCodeView(APIView):
    schema_tags = ["Sign in"]
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="verify_code",
        summary=_("Sign in with the code"),
        description=_(
            "Returns a token. The first sign-in of a number creates the account. An "
            "invite code sent here takes precedence over one sent with the code "
            "request. If the account has already activated one, it is ignored. First "
            "show people whom they credit, and that this person will see their phone "
            "number."
        ),
        request=VerifyCodeSerializer,
        responses=SignedInSerializer,
        examples=examples.VERIFY_CODE,
    )
    @refuses(*SIGN_IN_REFUSALS)
    def post(self, request: Request) -> Response:
        signed_in = _sign_in(request, issue=issue_token)
        answer = SignedInSerializer(signed_in, context={"request": request})
        return Response(answer.data)


def _sign_in(request: Request, *, issue: signing_in.IssueToken) -> signing_in.SignedIn:
    data = read(VerifyCodeSerializer, request.data)
    phone_number = data["phone_number"]
    client = Client.of(request._request, data.get("device_token", ""))
    return signing_in.sign_in(
        phone_number=phone_number,
        digits=data["code"],
        client=client,
        invite_code=data.get("invite_code"),
        recall_invite_code=partial(invitations.recall, phone_number, client),
        issue=issue,
    )


class CreateJwtView(APIView):
    schema_tags = ["Sign in"]
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="create_jwt",
        summary=_("Sign in with the code, for JSON Web Tokens"),
        description=_(
            "Like verify-code, but returns a pair of JWTs: an access token for the "
            "requests of the next minutes and a refresh token for the next pair."
        ),
        request=VerifyCodeSerializer,
        responses=JwtSignedInSerializer,
        examples=examples.CREATE_JWT,
    )
    @refuses(*SIGN_IN_REFUSALS)
    def post(self, request: Request) -> Response:
        signed_in = _sign_in(request, issue=jwt_tokens.issue_refresh_token)
        answer = JwtSignedInSerializer(signed_in, context={"request": request})
        return Response(answer.data)
