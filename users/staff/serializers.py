from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from referrals.came_by import CameBy
from referrals.models import LedgerEntry
from referrals.serializers import DayCountSerializer
from users.models import User


class PersonSerializer(serializers.ModelSerializer[User]):
    email = serializers.CharField(read_only=True)  # may be empty
    activated_invite_code = serializers.CharField(allow_null=True, read_only=True)
    joined_at = serializers.DateTimeField(source="date_joined", read_only=True)
    last_login_at = serializers.DateTimeField(
        source="last_login", allow_null=True, read_only=True
    )

    class Meta:
        model = User
        fields = [
            "id",
            "phone_number",
            "first_name",
            "last_name",
            "email",
            "invite_code",
            "activated_invite_code",
            "is_active",
            "is_staff",
            "joined_at",
            "last_login_at",
        ]
        read_only_fields = fields


class TopInviterSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    invite_code = serializers.CharField()
    count = serializers.IntegerField()


class FunnelDaySerializer(serializers.Serializer[Any]):
    date = serializers.DateField()
    link_opens = serializers.IntegerField(
        help_text=_("Opened invite links, without previews of messengers.")
    )
    codes_sent = serializers.IntegerField()
    sign_ins = serializers.IntegerField()
    activations = serializers.IntegerField()


class CameByCountSerializer(serializers.Serializer[Any]):
    came_by = serializers.ChoiceField(
        CameBy.choices,
        allow_null=True,
        help_text=_("Where the invite code came from. Null: not known."),
    )
    count = serializers.IntegerField()


class ServiceStatsSerializer(serializers.Serializer[Any]):
    people = serializers.IntegerField(help_text=_("All who have an account."))
    new_people = serializers.IntegerField()
    new_people_per_day = DayCountSerializer(many=True)
    activations = serializers.IntegerField()
    activations_per_day = DayCountSerializer(many=True)
    activated_share = serializers.FloatField(
        allow_null=True,
        help_text=_(
            "The share of new people who activated an invite code, from 0 to 1."
        ),
    )
    top_inviters = TopInviterSerializer(many=True)
    activations_by_way = CameByCountSerializer(many=True, source="came_by")
    funnel_per_day = FunnelDaySerializer(many=True)


class InviterSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    phone_number = serializers.CharField()


class PersonDetailSerializer(PersonSerializer):
    inviter = InviterSerializer(
        source="activation.inviter",
        allow_null=True,
        default=None,
        read_only=True,
        help_text=_("Null also when the inviter's account was deleted."),
    )
    referrals_count = serializers.IntegerField(
        read_only=True, help_text=_("Up to 999.")
    )
    referrals_count_is_exact = serializers.BooleanField(
        read_only=True,
        help_text=_("False when there are more than 999."),
    )
    devices_count = serializers.IntegerField(
        read_only=True, help_text=_("Devices that are signed in, browsers included.")
    )

    class Meta(PersonSerializer.Meta):
        fields = [
            *PersonSerializer.Meta.fields,
            "inviter",
            "referrals_count",
            "referrals_count_is_exact",
            "devices_count",
        ]
        read_only_fields = fields


class LedgerQuerySerializer(serializers.Serializer[Any]):
    since = serializers.IntegerField(
        min_value=0,
        max_value=2**63 - 1,
        default=0,
        help_text=_(
            "The `position` of the last entry that you have. 0: from the start."
        ),
    )


class LedgerEntrySerializer(serializers.ModelSerializer[LedgerEntry]):
    position = serializers.IntegerField(read_only=True)
    timestamp = serializers.DateTimeField(source="at", read_only=True)
    data = serializers.DictField(  # type: ignore[assignment]  # not Serializer.data
        read_only=True, help_text=_("As in the webhook of the same type.")
    )

    class Meta:
        model = LedgerEntry
        fields = ["position", "id", "type", "timestamp", "data"]
        read_only_fields = fields


class LedgerPageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(
        allow_null=True, help_text=_("The next page. Null: this is the last one.")
    )
    results = LedgerEntrySerializer(many=True)
