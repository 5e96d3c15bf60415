from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from users.serializers import Data
from users.terms.services import Terms


class TermsSerializer(serializers.Serializer[Terms]):
    version = serializers.CharField(help_text=_("The current version."))
    url = serializers.URLField(help_text=_("The page with the terms."))
    privacy_url = serializers.URLField(
        allow_null=True, help_text=_("The privacy policy.")
    )
    accepted_version = serializers.CharField(
        allow_null=True,
        help_text=_("The version that I accepted, or null."),
    )
    accepted_at = serializers.DateTimeField(allow_null=True)


class AcceptTermsSerializer(serializers.Serializer[Data]):
    version = serializers.CharField(
        max_length=50, help_text=_("The version that the person was shown.")
    )
