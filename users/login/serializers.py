from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.api.fields import TextField
from referrals.fields import InviteCodeField
from users.challenges import MAX_SOLUTION_LENGTH
from users.channels import Channel
from users.devices.jwt_serializers import JwtPairSerializer
from users.fields import PhoneNumberSerializerField
from users.login.answers import told
from users.login.digits import InvalidDigits, normalize_digits
from users.login.requesting import CodeSent
from users.login.signing_in import SignedIn
from users.serializers import Data, UserSerializer


class LoginCodeField(serializers.CharField):
    """The digits as text: a number would have lost its leading zeros."""

    default_error_messages = {"invalid": _("Send the digits of the code as text.")}

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, int | float) and not isinstance(data, bool):
            text = _('Send the code as a string, "0421": a number loses leading zeros.')
            raise serializers.ValidationError(text, code="invalid")
        try:
            return normalize_digits(data if isinstance(data, str) else "")
        except InvalidDigits:
            self.fail("invalid")


class DeviceTokenField(TextField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            allow_blank=True,
            max_length=300,
            help_text=_(
                "From an earlier sign-in with this number. With it, strangers cannot "
                "lock this device out."
            ),
            **kwargs,
        )


class ChallengeField(TextField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            allow_blank=True,
            max_length=MAX_SOLUTION_LENGTH,
            help_text=_("The solution, after `challenge_required`."),
            **kwargs,
        )


class ChannelField(serializers.ChoiceField):
    # DRF's text repeats the value, which may be long, or no valid Unicode.
    default_error_messages = {"invalid_choice": _("There is no such channel.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=list(Channel),
            required=False,
            allow_null=True,
            allow_blank=True,
            help_text=_(
                "How to send the code: `sms`, `call` (it is the last 4 digits of the "
                "number that we call from), `telegram`, `voice`. Only what the service "
                "offers, see `channels` in the answer. If it does not work, another is "
                "used."
            ),
            **kwargs,
        )

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        return Channel(found) if found else None


class RequestCodeSerializer(serializers.Serializer[Data]):
    phone_number = PhoneNumberSerializerField()
    channel = ChannelField()
    invite_code = InviteCodeField(required=False, allow_null=True, allow_blank=True)
    device_token = DeviceTokenField()
    challenge = ChallengeField()


class CodeSentSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField(default=True, read_only=True)
    message = serializers.SerializerMethodField()
    phone_number = serializers.CharField(help_text=_("As understood, in E.164."))
    expires_in = serializers.IntegerField(help_text=_("Seconds the code is valid for."))
    resend_in = serializers.IntegerField(
        help_text=_("Seconds until another code may be asked for.")
    )
    code_length = serializers.IntegerField()
    channel = serializers.ChoiceField(
        choices=list(Channel),
        allow_null=True,
        help_text=_("How the code was sent; null: it was not, as for a test number."),
    )
    channels = serializers.ListField(
        child=serializers.ChoiceField(choices=list(Channel)),
        help_text=_("How the next code can be asked for, with `channel`."),
    )
    delivery_id = serializers.CharField(
        allow_null=True,
        help_text=_(
            "For `deliveries/<id>/`, which says whether the code arrived; null: the "
            "provider does not report it."
        ),
    )
    was_sent_before = serializers.BooleanField(
        help_text=_(
            "True if no SMS was sent now, because the number gets no more for the "
            "moment. The code that was sent earlier is valid."
        )
    )
    dev_code = serializers.CharField(
        required=False,
        help_text=_("The code itself; only in development, with a simulated SMS."),
    )

    def get_message(self, sent: CodeSent) -> str:
        if sent.was_sent_before:
            return gettext("A code was sent to this number earlier. It is still valid.")
        return told(sent)

    def to_representation(self, instance: CodeSent) -> Data:
        data = super().to_representation(instance)
        if instance.dev_code is None:
            del data["dev_code"]
        return data


class VerifyCodeSerializer(serializers.Serializer[Data]):
    phone_number = PhoneNumberSerializerField()
    code = LoginCodeField(
        help_text=_(
            "The digits of the SMS as a string: `0421`, `04-21`, or the whole SMS."
        )
    )
    invite_code = InviteCodeField(required=False, allow_null=True, allow_blank=True)
    device_token = DeviceTokenField()


class NewTokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(help_text=_("Shown once; send it with each request."))
    expires_at = serializers.DateTimeField(
        source="device.expires_at",
        help_text=_(
            "When the token ends if it is not used. Using the token postpones this, to "
            "a year after the sign-in at most."
        ),
    )


class SignInSerializer(serializers.Serializer[Any]):
    """What every sign-in answers beside its tokens."""

    device_token = serializers.CharField(
        source="known_device_token",
        help_text=_("Keep it, and send it when you sign in again with this number."),
    )
    is_new_user = serializers.BooleanField()
    invite_code_applied = serializers.BooleanField(
        help_text=_("Whether this sign-in activated an invite code.")
    )
    user = UserSerializer()


class SignedInSerializer(NewTokenSerializer, SignInSerializer):
    def to_representation(self, instance: SignedIn) -> Data:
        # By hand, because the declared fields are slower. A test compares the two.
        expires_at = self._declared_fields["expires_at"]
        account = UserSerializer(context=self.context)
        return {
            "token": instance.token,
            "expires_at": expires_at.to_representation(instance.device.expires_at),
            "device_token": instance.known_device_token,
            "is_new_user": instance.is_new_user,
            "invite_code_applied": instance.invite_code_applied,
            "user": account.to_representation(instance.user),
        }


class JwtSignedInSerializer(JwtPairSerializer, SignInSerializer):
    pass
