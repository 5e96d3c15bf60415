import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.http import HttpRequest
from django.test import RequestFactory
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from referrals.pagination import first_referrals
from referrals.serializers import ReferralSerializer
from referrals.tests.test_list import invite_many
from users.models import User
from users.profile.serializers import FirstReferralsSerializer, ProfileSerializer
from users.profile.services import Profile
from users.serializers import UserSerializer


@pytest.mark.django_db
@pytest.mark.parametrize("number", [0, 60])
@pytest.mark.parametrize("email_notices", [False, True])
def test_the_profile_by_hand_equals_the_declared_serializers(
    alice: User,
    number: int,
    email_notices: bool,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.EMAIL_NOTICES = email_notices
    invite_many(alice, number)
    http_request: HttpRequest = RequestFactory().get("/api/profile/")
    context: dict[str, Any] = {"request": Request(http_request)}
    page = first_referrals(alice, context["request"])
    by_hand = ProfileSerializer(Profile(alice, page), context=context).data
    declared_fields = serializers.Serializer.to_representation
    for serializer in (UserSerializer, ReferralSerializer):
        monkeypatch.setattr(serializer, "to_representation", declared_fields)
    declared = {
        **UserSerializer(alice, context=context).data,
        **FirstReferralsSerializer(page).data,
    }
    assert set(ProfileSerializer().get_fields()) == {
        *declared,
        "terms",
        "email_link_sent",
    }
    if not email_notices:
        del declared["email_verified"]
    render = JSONRenderer().render
    assert json.loads(render(by_hand)) == json.loads(render(declared))
    assert len(by_hand["referrals"]) == min(number, 50)
