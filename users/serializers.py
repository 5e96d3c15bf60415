from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from users.models import User

Data = dict[str, Any]


class UserSerializer(serializers.ModelSerializer[User]):
    email = serializers.CharField(read_only=True)  # may be empty
    invite_link = serializers.HyperlinkedIdentityField(
        view_name="invite",
        lookup_field="invite_code",
        lookup_url_kwarg="code",
        help_text=_("To share."),
    )
    activated_invite_code = serializers.CharField(allow_null=True, read_only=True)

    class Meta:
        model = User
        fields = [
            "id",
            "phone_number",
            "first_name",
            "last_name",
            "email",
            "invite_code",
            "invite_link",
            "activated_invite_code",
        ]
        read_only_fields = fields
