import logging
import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from limits.addresses import UNKNOWN
from referrals.came_by import CameBy
from referrals.services import activate_invite_code
from users.models import DayCount, User
from users.staff.support_group import give_rights

# Numbers in a range that no operator assigns.
PHONE_NUMBERS = [f"+7999000{n:04}" for n in range(1, 51)]
STAFF_PHONE_NUMBER = "+79990009999"
SUPPORT_PHONE_NUMBER = "+79990009998"

FIRST_NAMES = ["Alice", "Boris", "Clara", "Daniil", "Elena", "Fyodor", "Galina"]
LAST_NAMES = ["Ivanova", "Petrov", "Smirnova", "Orlov", "Novak", "Volkov", "Fischer"]


class Command(BaseCommand):
    help = "Fill the database with 50 people who invited each other, and two of staff."

    def handle(self, *args: Any, **options: Any) -> None:
        numbers = [*PHONE_NUMBERS, STAFF_PHONE_NUMBER, SUPPORT_PHONE_NUMBER]
        if User.objects.filter(phone_number__in=numbers).exists():
            raise CommandError(
                "Some of the demo people are here already. For a new password: "
                f"manage.py changepassword {STAFF_PHONE_NUMBER}"
            )
        password = secrets.token_urlsafe(12)
        # The audit trail is about real people. Its lines would hide the password.
        logging.disable(logging.INFO)
        try:
            self._fill(password)
        finally:
            logging.disable(logging.NOTSET)
        self.stdout.write(
            f"Sign in to /admin/ with {STAFF_PHONE_NUMBER} and password {password}\n"
            f"or, with what support staff may do, with {SUPPORT_PHONE_NUMBER}\n"
            f"Sign in to / as the one who invited most: {PHONE_NUMBERS[0]}"
        )
        if settings.ADMIN_SECOND_FACTOR:
            self.stdout.write(
                "After the password /admin/ shows a QR code for an authenticator app. "
                "To do without: ADMIN_SECOND_FACTOR=off"
            )

    @transaction.atomic
    def _fill(self, password: str) -> None:
        self._invite_each_other([self._person(i) for i in range(len(PHONE_NUMBERS))])
        User.objects.create_superuser(STAFF_PHONE_NUMBER, password)
        support = User.objects.create_user(
            SUPPORT_PHONE_NUMBER, password, is_staff=True
        )
        support.groups.add(give_rights())
        self._count_days()

    def _person(self, i: int) -> User:
        return User.objects.create_user(
            PHONE_NUMBERS[i],
            first_name=FIRST_NAMES[i % len(FIRST_NAMES)],
            last_name=LAST_NAMES[i // len(FIRST_NAMES) % len(LAST_NAMES)],
        )

    def _invite_each_other(self, people: list[User]) -> None:
        """A tree: the first person invited most, and every ninth came without."""
        now = timezone.now()
        for i, invitee in enumerate(people):
            if i % 9:
                inviter = people[(i // 9) * 2 if i % 3 else 0]
                referral = activate_invite_code(
                    invitee=invitee,
                    code=inviter.invite_code,
                    address=UNKNOWN,
                    came_by=list(CameBy)[i % 4],
                )
                # Spread over the past four weeks, with more towards the end.
                referral.created_at = now - timedelta(days=28 * (1 - i / 50) ** 1.5)
                referral.save(update_fields=["created_at"])
                joined_at = referral.created_at - timedelta(minutes=1)
            else:
                joined_at = now - timedelta(days=29 * (1 - i / 50))
            User.objects.filter(pk=invitee.pk).update(date_joined=joined_at)

    def _count_days(self) -> None:
        """Counts for the dashboard: more sign-ins each day, few unused codes."""
        today = timezone.now().date()
        DayCount.objects.bulk_create(
            [
                DayCount(today - timedelta(days=n), 34 - n + n % 4, 31 - n + n % 3)
                for n in range(1, 30)
            ],
            ignore_conflicts=True,
        )
