from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.api.fields import TextField
from referrals.fields import InviteCodeField
from referrals.pagination import first_referrals
from referrals.serializers import ReferralSerializer
from users.models import User
from users.serializers import Data, UserSerializer


class ActivateInviteCodeSerializer(serializers.Serializer[Data]):
    invite_code = InviteCodeField()


class UpdateProfileSerializer(serializers.ModelSerializer[User]):
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: TextField,
    }

    class Meta:
        model = User
        fields = ["first_name", "last_name", "email"]


class ProfileSerializer(UserSerializer):
    referrals = ReferralSerializer(many=True, read_only=True)
    referrals_count = serializers.IntegerField(
        read_only=True, help_text=_("All, not the page's; up to 999.")
    )
    referrals_count_is_exact = serializers.BooleanField(
        read_only=True, help_text=_("False when there are more than 999.")
    )
    referrals_next = serializers.URLField(
        allow_null=True,
        read_only=True,
        help_text=_("Where the list goes on after this page."),
    )

    class Meta(UserSerializer.Meta):
        fields = [
            *UserSerializer.Meta.fields,
            "referrals",
            "referrals_count",
            "referrals_count_is_exact",
            "referrals_next",
        ]
        read_only_fields = fields

    def to_representation(self, instance: User) -> Data:
        page = first_referrals(instance, self.context["request"])
        represent = ReferralSerializer().to_representation
        return {
            **super().to_representation(instance),
            "referrals": [represent(row) for row in page.rows],
            "referrals_count": page.count.number,
            "referrals_count_is_exact": page.count.is_exact,
            "referrals_next": page.next_url,
        }


class InviteCodeActivatedSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    profile = ProfileSerializer()
