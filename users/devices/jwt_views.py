from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from drf_standardized_errors.openapi_serializers import ErrorResponse404Serializer
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.schema import refuses
from config.negotiation import IgnoreAcceptHeader
from config.refusals import NotFound
from users.devices import examples, jwt_keys, jwt_tokens
from users.devices.exceptions import TokenInvalid
from users.devices.jwt_serializers import (
    JwkSetSerializer,
    JwtPairSerializer,
    RefreshJwtSerializer,
    VerifiedJwtSerializer,
    VerifyJwtSerializer,
)

# After so long everybody has a new key: see docs/operations.md.
KEYS_MAX_AGE_SECONDS = 300


class RefreshJwtView(APIView):
    schema_tags = ["Sign in"]
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="refresh_jwt",
        summary=_("Exchange a refresh token for a new pair"),
        description=_(
            "A refresh token works once. If it is sent again later, somebody may have "
            "a copy, so the device is signed out and its owner has to sign in with a "
            "new code. Send one refresh at a time.\n\nIf you got no answer, send the "
            "same refresh token again, once and within 10 seconds. The new pair "
            "replaces the one that you did not get."
        ),
        request=RefreshJwtSerializer,
        responses=JwtPairSerializer,
        examples=examples.REFRESH_JWT,
    )
    @refuses(TokenInvalid)
    def post(self, request: Request) -> Response:
        body = RefreshJwtSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        refreshed = jwt_tokens.refresh(body.validated_data["refresh"])
        return Response(JwtPairSerializer(refreshed).data)


class VerifyJwtView(APIView):
    schema_tags = ["Sign in"]
    authentication_classes = []
    permission_classes = [AllowAny]
    # A gateway passes on the header of a browser that asks for a picture.
    content_negotiation_class = IgnoreAcceptHeader

    @extend_schema(
        operation_id="verify_jwt",
        summary=_("Ask whether a JWT is valid"),
        description=_("Valid: not expired, not used up, and its device is signed in."),
        request=VerifyJwtSerializer,
        responses=VerifiedJwtSerializer,
        examples=examples.VERIFY_JWT,
    )
    @refuses(TokenInvalid)
    def post(self, request: Request) -> Response:
        body = VerifyJwtSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        verified = jwt_tokens.verify(body.validated_data["token"])
        return Response(VerifiedJwtSerializer(verified).data)

    @extend_schema(
        operation_id="check_access_jwt",
        summary=_("Ask whether the access token of this request is valid"),
        description=_(
            "For gateways that pass on the header of a request and look at the status "
            "only, such as nginx with `auth_request`. A refresh token is refused. The "
            "header `X-User-Id` of the answer has the `user_id`."
        ),
        auth=[{"bearer": []}],  # type: ignore[list-item]  # typed too narrowly
        request=None,
        responses=VerifiedJwtSerializer,
        examples=examples.CHECK_JWT,
    )
    @refuses(TokenInvalid)
    def get(self, request: Request) -> Response:
        verified = jwt_tokens.verify_header(request.headers.get("Authorization", ""))
        return Response(
            VerifiedJwtSerializer(verified).data,
            headers={"X-User-Id": str(verified.device.user_id)},
        )


class JwkSetView(APIView):
    schema_tags = ["Service"]
    authentication_classes = []
    permission_classes = [AllowAny]
    # Libraries that read key sets ask for application/jwk-set+json.
    content_negotiation_class = IgnoreAcceptHeader
    outage_refusals = ()  # needs neither PostgreSQL nor Redis

    @extend_schema(
        operation_id="jwks",
        summary=_("Public keys of access tokens"),
        description=_(
            "A JSON Web Key Set (RFC 7517), with which others can check access tokens. "
            "404 if neither `JWT_PRIVATE_KEY` nor `JWT_PUBLIC_KEYS` is set."
        ),
        responses={200: JwkSetSerializer, 404: ErrorResponse404Serializer},
        examples=examples.JWK_SET,
    )
    def get(self, request: Request) -> Response:
        keys = jwt_keys.public_key_set()
        if not keys:
            raise NotFound
        return Response(
            {"keys": keys},
            headers={"Cache-Control": f"public, max-age={KEYS_MAX_AGE_SECONDS}"},
        )
