from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from users.devices import examples, services
from users.devices.pagination import DevicePagination
from users.devices.serializers import DeviceSerializer
from users.models import Device, DeviceQuerySet
from users.requests import SignedInRequest


class DeviceListView(ListAPIView[Device]):
    schema_tags = ["Devices"]
    serializer_class = DeviceSerializer
    pagination_class = DevicePagination
    queryset = Device.objects.none()  # for the schema
    request: SignedInRequest

    def get_queryset(self) -> DeviceQuerySet:
        return Device.objects.of_user(self.request.user)

    @extend_schema(
        operation_id="list_devices",
        summary=_("Where I am signed in"),
        description=_(
            "Apps and browsers, most recently used first, 50 a page; follow `next`."
        ),
        examples=examples.DEVICES,
    )
    def get(self, request: Request) -> Response:
        return super().get(request)


class DeviceView(APIView):
    schema_tags = ["Devices"]

    @extend_schema(
        operation_id="sign_out_device",
        summary=_("Sign out one of my devices"),
        description=_(
            "Its next request is refused. For the current device, this is a sign-out."
        ),
        request=None,
        responses={204: None},
    )
    def delete(self, request: SignedInRequest, device_id: int) -> Response:
        services.sign_out_device(user=request.user, device_id=device_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class LogoutView(APIView):
    schema_tags = ["Sign in"]

    @extend_schema(
        operation_id="logout",
        summary=_("Sign out this device"),
        description=_("Ends the token or JWTs that this request is sent with."),
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
        description=_("Ends all tokens, JWTs and browser sessions, this one too."),
        request=None,
        responses={204: None},
    )
    def post(self, request: SignedInRequest) -> Response:
        services.sign_out_everywhere(request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
