from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from users.models import User

Data = dict[str, Any]


class UserSerializer(serializers.ModelSerializer[User]):
    email = serializers.CharField(read_only=True)  # may be empty
    invite_link = serializers.URLField(read_only=True, help_text=_("To share."))
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

    def to_representation(self, instance: User) -> Data:
        # By hand: see ReferralSerializer.
        path = reverse("invite", args=[instance.invite_code])
        return {
            "id": instance.pk,
            "phone_number": instance.phone_number,
            "first_name": instance.first_name,
            "last_name": instance.last_name,
            "email": instance.email,
            "invite_code": instance.invite_code,
            "invite_link": self.context["request"].build_absolute_uri(path),
            "activated_invite_code": instance.activated_invite_code,
        }
