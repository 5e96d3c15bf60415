from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from users.models import User
from users.staff.exceptions import StaffOnly
from users.staff.permissions import issue_staff_token


class Command(BaseCommand):
    help = "Make a token that opens the staff part of the API; it is shown only once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("phone_number", help="of a person with staff status")
        parser.add_argument("--days", type=int, default=30, choices=range(1, 366))

    def handle(self, *args: Any, phone_number: str, days: int, **options: Any) -> None:
        try:
            user = User.objects.get_by_natural_key(phone_number)
            self.stdout.write(issue_staff_token(user=user, days=days))
        except (User.DoesNotExist, StaffOnly):
            raise CommandError("Nobody on the staff has this number.") from None
