from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.public_url import public_url
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
    email_verified = serializers.BooleanField(
        source="is_email_verified",
        required=False,
        help_text=_("Only if the service sends e-mail."),
    )

    def to_representation(self, instance: User) -> Data:
        # By hand: 0.05 ms instead of 0.13 ms of the declared fields, at each sign-in
        # and each profile. A test compares the two.
        path = reverse("invite", args=[instance.invite_code])
        data = {
            "id": instance.pk,
            "phone_number": instance.phone_number,
            "first_name": instance.first_name,
            "last_name": instance.last_name,
            "email": instance.email,
            "invite_code": instance.invite_code,
            "invite_link": public_url(self.context["request"], path),
            "activated_invite_code": instance.activated_invite_code,
        }
        if settings.EMAIL_NOTICES:
            data["email_verified"] = instance.is_email_verified
        return data
