import pytest
from django.test import RequestFactory
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from users.devices.token_authentication import issue_token
from users.login.serializers import SignedInSerializer
from users.login.signing_in import SignedIn
from users.models import User
from users.serializers import UserSerializer


@pytest.mark.django_db
def test_a_sign_in_by_hand_equals_the_declared_serializer(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    device, token = issue_token(user=alice, user_agent="")
    signed_in = SignedIn(
        user=alice,
        device=device,
        token=token,
        known_device_token="known",
        is_new_user=True,
        invite_code_applied=False,
        invite_code_refusal=None,
    )
    context = {"request": Request(RequestFactory().get("/"))}
    by_hand = SignedInSerializer(signed_in, context=context).data
    declared_fields = serializers.Serializer.to_representation
    for serializer in (SignedInSerializer, UserSerializer):
        monkeypatch.setattr(serializer, "to_representation", declared_fields)
    declared = SignedInSerializer(signed_in, context=context).data
    # Sent only with EMAIL_NOTICES.
    del declared["user"]["email_verified"]
    render = JSONRenderer().render
    assert render(by_hand) == render(declared)
