from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from users.models import Device


class DeviceSerializer(serializers.ModelSerializer[Device]):
    name = serializers.CharField(
        read_only=True, help_text=_("For people: browser and system, where known.")
    )
    device = serializers.CharField(
        source="user_agent",
        read_only=True,
        help_text=_("The User-Agent that it signed in with."),
    )
    created_at = serializers.DateTimeField(
        read_only=True, help_text=_("When it signed in.")
    )
    last_used_at = serializers.DateTimeField(
        read_only=True,
        help_text=_("To the day; with JWTs, when it refreshed for the last time."),
    )
    expires_at = serializers.DateTimeField(
        read_only=True, help_text=_("When it is signed out if it is not used.")
    )
    is_current = serializers.SerializerMethodField()

    class Meta:
        model = Device
        fields = [
            "id",
            "name",
            "device",
            "created_at",
            "last_used_at",
            "expires_at",
            "is_current",
        ]

    def get_is_current(self, device: Device) -> bool:
        return bool(device == self.context["request"].auth)
