from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from users.models import User
from users.serializers import Data


class EmailStateSerializer(serializers.Serializer[User]):
    email = serializers.CharField()
    email_verified = serializers.BooleanField(source="is_email_verified")


class VerifyEmailSerializer(serializers.Serializer[Data]):
    key = serializers.CharField(max_length=200, help_text=_("The `key` in the link."))
