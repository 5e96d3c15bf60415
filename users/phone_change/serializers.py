from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from users.fields import PhoneNumberSerializerField
from users.login.serializers import (
    ChallengeField,
    ChannelField,
    CodeSentSerializer,
    DeviceTokenField,
    LoginCodeField,
)
from users.serializers import Data, UserSerializer


class RequestPhoneChangeSerializer(serializers.Serializer[Data]):
    phone_number = PhoneNumberSerializerField()
    channel = ChannelField()
    device_token = DeviceTokenField()
    challenge = ChallengeField()


class PhoneChangeCodeSerializer(CodeSentSerializer):
    success = None  # type: ignore[assignment]  # DRF's way to leave a field out
    message = None  # type: ignore[assignment]  # as above


class PhoneChangeCodesSerializer(serializers.Serializer[Any]):
    message = serializers.CharField(
        default=_("The codes have been sent."), read_only=True
    )
    old_code = PhoneChangeCodeSerializer(help_text=_("To the current number."))
    new_code = PhoneChangeCodeSerializer(help_text=_("To the new number."))


class ChangePhoneSerializer(serializers.Serializer[Data]):
    phone_number = PhoneNumberSerializerField()
    old_code = LoginCodeField(help_text=_("The code sent to the current number."))
    new_code = LoginCodeField(help_text=_("The code sent to the new number."))
    device_token = DeviceTokenField()


class PhoneChangedSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(
        help_text=_("The only token that is still valid; send it with each request.")
    )
    expires_at = serializers.DateTimeField(source="device.expires_at")
    device_token = serializers.CharField(
        source="known_device_token", help_text=_("For the new number.")
    )
    user = UserSerializer()
