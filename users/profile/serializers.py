from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from referrals.fields import InviteCodeField
from referrals.pagination import FirstReferrals
from referrals.serializers import ReferralSerializer
from users.fields import (
    EmailField,
    EmailSerializerField,
    NameField,
    NameSerializerField,
)
from users.models import User
from users.profile.services import Profile
from users.serializers import Data, UserSerializer
from users.terms.serializers import TermsSerializer


class ActivateInviteCodeSerializer(serializers.Serializer[Data]):
    invite_code = InviteCodeField()


class UpdateProfileSerializer(serializers.ModelSerializer[User]):
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        NameField: NameSerializerField,
        EmailField: EmailSerializerField,
    }

    class Meta:
        model = User
        fields = ["first_name", "last_name", "email"]


class FirstReferralsSerializer(serializers.Serializer[FirstReferrals]):
    referrals = ReferralSerializer(source="rows", many=True, read_only=True)
    referrals_count = serializers.IntegerField(
        source="count.number",
        read_only=True,
        help_text=_("In total, not on this page; counted up to 999."),
    )
    referrals_count_is_exact = serializers.BooleanField(
        source="count.is_exact",
        read_only=True,
        help_text=_("False when there are more than 999."),
    )
    referrals_next = serializers.URLField(
        source="next_url",
        allow_null=True,
        read_only=True,
        help_text=_("The URL of the next page of the list."),
    )


class ProfileSerializer(serializers.Serializer[Profile]):
    # The fields of the user, then those of the first page of referrals, then its own.
    terms = TermsSerializer(
        required=False, help_text=_("Only if the service has terms.")
    )
    email_link_sent = serializers.BooleanField(
        required=False,
        help_text=_(
            "Only after PATCH with a new e-mail, where e-mails are confirmed by a "
            "link. True: a link is on its way. False: none could be sent now; ask for "
            "one later."
        ),
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return (
            UserSerializer().get_fields()
            | FirstReferralsSerializer().get_fields()
            | super().get_fields()
        )

    def to_representation(self, instance: Profile) -> Data:
        # By hand, as in UserSerializer. A test compares it with the declared fields.
        user, page = instance.user, instance.referrals
        represent_row = ReferralSerializer().to_representation
        data = {
            **UserSerializer(context=self.context).to_representation(user),
            "referrals": [represent_row(row) for row in page.rows],
            "referrals_count": page.count.number,
            "referrals_count_is_exact": page.count.is_exact,
            "referrals_next": page.next_url,
        }
        if instance.terms:
            data["terms"] = TermsSerializer(instance.terms).data
        if instance.email_link_sent is not None:
            data["email_link_sent"] = instance.email_link_sent
        return data


class InviteCodeActivatedSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    profile = ProfileSerializer()
