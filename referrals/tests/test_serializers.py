from django.utils import timezone
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from referrals.models import ReferralRow
from referrals.serializers import ReferralSerializer


class DeclaredReferralSerializer(ReferralSerializer):
    to_representation = serializers.Serializer.to_representation


def test_the_hand_written_row_equals_the_declared_one() -> None:
    row = ReferralRow("+7999•••••67", timezone.now(), 1)
    by_hand, declared = (
        JSONRenderer().render(serializer(row).data)
        for serializer in (ReferralSerializer, DeclaredReferralSerializer)
    )
    assert by_hand == declared
