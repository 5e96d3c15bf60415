from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from users.models import User

Data = dict[str, Any]


class UserSerializer(serializers.Serializer[User]):
    # No ModelSerializer: it would build its fields anew for each answer, which takes
    # longer than a sign-in's queries.
    id = serializers.IntegerField(read_only=True)
    phone_number = serializers.CharField(read_only=True)
    first_name = serializers.CharField(read_only=True)
    last_name = serializers.CharField(read_only=True)
    email = serializers.CharField(read_only=True)  # may be empty
    invite_code = serializers.CharField(read_only=True)
    invite_link = serializers.HyperlinkedIdentityField(
        view_name="invite",
        lookup_field="invite_code",
        lookup_url_kwarg="code",
        help_text=_("To share."),
    )
    activated_invite_code = serializers.CharField(allow_null=True, read_only=True)
