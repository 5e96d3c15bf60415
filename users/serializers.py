import re
from typing import Any

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.fields import TextField
from referrals.fields import InviteCodeField
from referrals.pagination import FirstReferrals
from referrals.serializers import ReferralSerializer
from users.fields import PhoneNumberSerializerField
from users.models import User

Data = dict[str, Any]


class LoginCodeField(serializers.CharField):
    """4 to 8 ASCII digits as text; spaces and dashes of a pasted code are dropped."""

    default_error_messages = {"invalid": _("Send the digits of the code as text.")}

    def to_internal_value(self, data: Any) -> str:
        # A number has lost its leading zeros: it must not be taken for a guess.
        digits = re.sub(r"[\s-]", "", data) if isinstance(data, str) else ""
        if not re.fullmatch(r"[0-9]{4,8}", digits):
            self.fail("invalid")
        return digits


class DeviceTokenField(TextField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            allow_blank=True,
            max_length=300,
            help_text=_("From an earlier sign-in: strangers cannot block this device."),
            **kwargs,
        )


class RequestCodeSerializer(serializers.Serializer[Data]):
    phone_number = PhoneNumberSerializerField()
    invite_code = InviteCodeField(required=False, allow_null=True, allow_blank=True)
    device_token = DeviceTokenField()


class CodeSentSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField(default=True, read_only=True)
    message = serializers.CharField(
        default=_("The code has been sent."), read_only=True
    )
    phone_number = serializers.CharField(help_text=_("As understood, in E.164."))
    expires_in = serializers.IntegerField(help_text=_("Seconds the code is valid for."))
    resend_in = serializers.IntegerField(
        help_text=_("Seconds until another code may be asked for.")
    )
    code_length = serializers.IntegerField()
    dev_code = serializers.CharField(
        required=False,
        help_text=_("The code itself; only in development, with a simulated SMS."),
    )

    def to_representation(self, instance: Any) -> Data:
        data = super().to_representation(instance)
        if data["dev_code"] is None:
            del data["dev_code"]
        return data


class VerifyCodeSerializer(serializers.Serializer[Data]):
    phone_number = PhoneNumberSerializerField()
    code = LoginCodeField(help_text=_("The digits of the SMS."))
    invite_code = InviteCodeField(required=False, allow_null=True, allow_blank=True)
    device_token = DeviceTokenField()


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


class UserSerializer(serializers.ModelSerializer[User]):
    email = serializers.CharField(read_only=True)  # may be empty
    invite_link = serializers.SerializerMethodField()
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

    @extend_schema_field(serializers.URLField(help_text=_("To share with others.")))
    def get_invite_link(self, user: User) -> str:
        path = reverse("invite", args=[user.invite_code])
        url: str = self.context["request"].build_absolute_uri(path)
        return url


class SignedInSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(help_text=_("Shown once; send it with each request."))
    expires_at = serializers.DateTimeField(
        source="device.expires_at",
        help_text=_("When the token ends if it is not used; use renews it."),
    )
    device_token = serializers.CharField(
        help_text=_("Keep it, and send it when you sign in again on this number.")
    )
    is_new_user = serializers.BooleanField()
    invite_code_applied = serializers.BooleanField(
        help_text=_("Whether this sign-in activated an invite code.")
    )
    user = UserSerializer()


class ProfileSerializer(UserSerializer):
    # context["first_referrals"] holds the newest page of the user's referrals.

    referrals = serializers.SerializerMethodField()
    referrals_count = serializers.SerializerMethodField()
    referrals_next = serializers.SerializerMethodField()

    class Meta(UserSerializer.Meta):
        fields = [
            *UserSerializer.Meta.fields,
            "referrals",
            "referrals_count",
            "referrals_next",
        ]
        read_only_fields = fields

    @extend_schema_field(ReferralSerializer(many=True))
    def get_referrals(self, user: User) -> Any:
        return ReferralSerializer(self._first_referrals.rows, many=True).data

    @extend_schema_field(serializers.IntegerField(help_text=_("All, not the page's.")))
    def get_referrals_count(self, user: User) -> int:
        return self._first_referrals.total

    @extend_schema_field(
        serializers.URLField(
            allow_null=True, help_text=_("Where the list goes on after this page.")
        )
    )
    def get_referrals_next(self, user: User) -> str | None:
        return self._first_referrals.next_url

    @property
    def _first_referrals(self) -> FirstReferrals:
        page: FirstReferrals = self.context["first_referrals"]
        return page


class InviteCodeActivatedSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    profile = ProfileSerializer()
