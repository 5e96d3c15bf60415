from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.schema import refuses
from users.devices import examples
from users.devices import jwt_tokens as jwt
from users.devices.exceptions import TokenInvalid
from users.devices.jwt_serializers import (
    JwtPairSerializer,
    RefreshJwtSerializer,
    VerifyJwtSerializer,
)


class RefreshJwtView(APIView):
    schema_tags = ["Sign in"]
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="refresh_jwt",
        summary=_("Exchange a refresh token for a new pair"),
        description=_(
            "A refresh token works once. If one is sent again, somebody has a copy, "
            "and the device is signed out: of the thief and of the owner, neither "
            "goes on without a code. So send one refresh at a time."
        ),
        request=RefreshJwtSerializer,
        responses=JwtPairSerializer,
        examples=examples.REFRESH_JWT,
    )
    @refuses(TokenInvalid)
    def post(self, request: Request) -> Response:
        body = RefreshJwtSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        refreshed = jwt.refresh(body.validated_data["refresh"])
        return Response(JwtPairSerializer(refreshed).data)


class VerifyJwtView(APIView):
    schema_tags = ["Sign in"]
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="verify_jwt",
        summary=_("Ask whether a JWT is valid"),
        description=_("Valid: not expired, not used up, and its device is signed in."),
        request=VerifyJwtSerializer,
        responses=OpenApiTypes.OBJECT,
        examples=examples.VERIFY_JWT,
    )
    @refuses(TokenInvalid)
    def post(self, request: Request) -> Response:
        body = VerifyJwtSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        jwt.verify(body.validated_data["token"])
        return Response({})
