from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.schema import refuses
from config.refusals import LimitReached
from users.challenges.exceptions import ChallengeRequired
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
from users.sms.exceptions import (
    CountryNotServed,
    NumberCannotReceiveSms,
    SmsUnavailable,
    SmsUnsure,
)


class RequestPhoneChangeView(APIView):
    schema_tags = ["Profile"]

    @extend_schema(
        operation_id="request_phone_change",
        summary=_("Send the codes to change my number"),
        description=_(
            "One to the number until now, one to the number given. Asked again after "
            "a failure, it sends the one that is missing. `device_token` is the one of "
            "the number until now."
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
            "Signs every device out, this one as well: go on with the token in the "
            "answer."
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
