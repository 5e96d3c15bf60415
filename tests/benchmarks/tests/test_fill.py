import pytest
from django.core.management import call_command
from django.db import connection

from referrals.models import Referral
from tests.benchmarks import people
from tests.benchmarks.management.commands.fill import Command
from users.models import Device, User

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="only PostgreSQL has COPY"
    ),
]


def test_second_fill_changes_nothing() -> None:
    for _ in range(2):
        call_command(Command(), users=4000)
    assert User.objects.count() == 4001
    assert Device.objects.live().count() == 4000
    assert Referral.objects.count() == sum(1 for _ in people.referrals(4000))
    # Fails if the sequence does not continue after the last id.
    User.objects.create_user("+79990000001")
