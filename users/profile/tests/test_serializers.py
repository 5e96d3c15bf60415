from typing import Any

import pytest
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
def test_the_profile_by_hand_equals_the_declared_serializers(
    alice: User, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite_many(alice, number)
    http_request: HttpRequest = RequestFactory().get("/api/profile/")
    context: dict[str, Any] = {"request": Request(http_request)}
    page = first_referrals(alice, context["request"])
    by_hand = ProfileSerializer(Profile(alice, page), context=context).data
    declared_rows = serializers.Serializer.to_representation
    monkeypatch.setattr(ReferralSerializer, "to_representation", declared_rows)
    declared = {
        **UserSerializer(alice, context=context).data,
        **FirstReferralsSerializer(page).data,
    }
    render = JSONRenderer().render
    assert render(by_hand) == render(declared)
    assert len(by_hand["referrals"]) == min(number, 50)
