from rest_framework import serializers

from referrals.models import Referral


class ReferralSerializer(serializers.ModelSerializer[Referral]):
    phone_number = serializers.CharField(source="invitee.get_username", read_only=True)
    activated_at = serializers.DateTimeField(source="created_at", read_only=True)

    class Meta:
        model = Referral
        fields = ["phone_number", "activated_at"]
