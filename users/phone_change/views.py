from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.schema import refuses
from config.refusals import LimitReached
from users.challenges.exceptions import ChallengeRequired
from users.channels.exceptions import (
    ChannelNotOffered,
    CountryNotServed,
    NumberCannotReceiveSms,
    SmsUnavailable,
    SmsUnsure,
)
from users.exceptions import (
    PhoneNumberInvalid,
    PhoneNumberTaken,
    StaffAccountProtected,
)
from users.login.clients import Client
from users.login.exceptions import GuessesUsedUp, ResendTooSoon
from users.phone_change import examples
from users.phone_change import services as phone_change
from users.phone_change.exceptions import (
    NewCodeExpired,
    NewCodeIncorrect,
    OldCodeExpired,
    OldCodeIncorrect,
    PhoneNumberUnchanged,
)
from users.phone_change.serializers import (
    ChangePhoneSerializer,
    PhoneChangeCodesSerializer,
    PhoneChangedSerializer,
    RequestPhoneChangeSerializer,
)
from users.requests import SignedInRequest


class RequestPhoneChangeView(APIView):
    schema_tags = ["Profile"]

    @extend_schema(
        operation_id="request_phone_change",
        summary=_("Send the codes to change my number"),
        description=_(
            "One to the current number, one to the new number. If it is repeated "
            "after a failure, it sends only the missing code. `device_token` is that "
            "of the current number."
        ),
        request=RequestPhoneChangeSerializer,
        responses=PhoneChangeCodesSerializer,
        examples=examples.REQUEST_PHONE_CHANGE,
    )
    @refuses(
        PhoneNumberInvalid,
        PhoneNumberUnchanged,
        StaffAccountProtected,
        CountryNotServed,
        NumberCannotReceiveSms,
        ChannelNotOffered,
        ResendTooSoon,
        ChallengeRequired,
        LimitReached,
        SmsUnavailable,
        SmsUnsure,
    )
    def post(self, request: SignedInRequest) -> Response:
        body = RequestPhoneChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = phone_change.request_codes(
            user=request.user,
            phone_number=body.validated_data["phone_number"],
            channel=body.validated_data.get("channel"),
            client=Client.of(
                request._request,
                body.validated_data.get("device_token", ""),
                challenge_solution=body.validated_data.get("challenge", ""),
            ),
        )
        return Response(PhoneChangeCodesSerializer(sent).data)


class ChangePhoneView(APIView):
    schema_tags = ["Profile"]

    @extend_schema(
        operation_id="change_phone",
        summary=_("Change my number with both codes"),
        description=_(
            "Signs every device out, including this one: continue with the token from "
            "the answer."
        ),
        request=ChangePhoneSerializer,
        responses=PhoneChangedSerializer,
        examples=examples.CHANGE_PHONE,
    )
    @refuses(
        PhoneNumberInvalid,
        OldCodeIncorrect,
        OldCodeExpired,
        NewCodeIncorrect,
        NewCodeExpired,
        PhoneNumberTaken,
        StaffAccountProtected,
        GuessesUsedUp,
        LimitReached,
    )
    def post(self, request: SignedInRequest) -> Response:
        body = ChangePhoneSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        changed = phone_change.change_phone_number(
            user=request.user,
            phone_number=body.validated_data["phone_number"],
            old_digits=body.validated_data["old_code"],
            new_digits=body.validated_data["new_code"],
            client=Client.of(
                request._request, body.validated_data.get("device_token", "")
            ),
        )
        answer = PhoneChangedSerializer(changed, context={"request": request})
        return Response(answer.data)
