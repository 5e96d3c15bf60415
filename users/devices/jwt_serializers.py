from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api.fields import TextField
from users.devices import jwt_tokens

MAX_JWT_LENGTH = 2000  # ours have about 300 characters


class RefreshJwtSerializer(serializers.Serializer[Any]):
    refresh = TextField(max_length=MAX_JWT_LENGTH)


class VerifyJwtSerializer(serializers.Serializer[Any]):
    token = TextField(
        max_length=MAX_JWT_LENGTH, help_text=_("An access or a refresh token.")
    )


class JwtPairSerializer(serializers.Serializer[Any]):
    access = serializers.SerializerMethodField()
    access_expires_in = serializers.SerializerMethodField()
    refresh = serializers.CharField(
        source="token", help_text=_("Works once: each refresh returns the next one.")
    )
    refresh_expires_at = serializers.DateTimeField(
        source="device.expires_at",
        help_text=_("When this device is signed out if it does not refresh."),
    )

    @extend_schema_field(
        serializers.CharField(help_text=_("Send it as `Authorization: Bearer`."))
    )
    def get_access(self, signed_in: Any) -> str:
        return jwt_tokens.access_token(signed_in.device)

    @extend_schema_field(serializers.IntegerField(help_text=_("In seconds.")))
    def get_access_expires_in(self, signed_in: Any) -> int:
        return settings.JWT_ACCESS_MINUTES * 60


class VerifiedJwtSerializer(serializers.Serializer[Any]):
    user_id = serializers.IntegerField(
        source="device.user_id", help_text=_("`sub` has it as a string.")
    )
    device_id = serializers.IntegerField(
        source="device.pk", help_text=_("Its `id` in the list of devices.")
    )
    token_type = serializers.ChoiceField(
        choices=[jwt_tokens.AccessToken.token_type, jwt_tokens.RefreshToken.token_type]
    )
    expires_at = serializers.DateTimeField(
        help_text=_("Or earlier, if the device is signed out.")
    )


class JwkSerializer(serializers.Serializer[Any]):
    kty = serializers.CharField()
    crv = serializers.CharField()
    x = serializers.CharField()
    y = serializers.CharField()
    use = serializers.CharField()
    alg = serializers.CharField()
    kid = serializers.CharField(
        help_text=_("Tokens name it in their header. The thumbprint of RFC 7638.")
    )


class JwkSetSerializer(serializers.Serializer[Any]):
    keys = JwkSerializer(many=True)
