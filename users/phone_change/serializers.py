from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from users.fields import PhoneNumberSerializerField
from users.login.serializers import (
    ChallengeField,
    CodeSentSerializer,
    DeviceTokenField,
    LoginCodeField,
)
from users.serializers import Data, UserSerializer


class RequestPhoneChangeSerializer(serializers.Serializer[Data]):
    phone_number = PhoneNumberSerializerField()
    device_token = DeviceTokenField()
    challenge = ChallengeField()


class PhoneChangeCodeSerializer(CodeSentSerializer):
    success = None  # type: ignore[assignment]  # DRF's way to leave a field out
    message = None  # type: ignore[assignment]  # as above


class PhoneChangeCodesSerializer(serializers.Serializer[Any]):
    message = serializers.CharField(
        default=_("The codes have been sent."), read_only=True
    )
    old_code = PhoneChangeCodeSerializer(help_text=_("To the number until now."))
    new_code = PhoneChangeCodeSerializer(help_text=_("To the number from now on."))


class ChangePhoneSerializer(serializers.Serializer[Data]):
    phone_number = PhoneNumberSerializerField()
    old_code = LoginCodeField(help_text=_("From the SMS to the number until now."))
    new_code = LoginCodeField(help_text=_("From the SMS to the number from now on."))
    device_token = DeviceTokenField()


class PhoneChangedSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(
        help_text=_("The only one that is left; send it with each request.")
    )
    expires_at = serializers.DateTimeField(source="device.expires_at")
    device_token = serializers.CharField(
        source="known_device_token", help_text=_("For the new number.")
    )
    user = UserSerializer()
