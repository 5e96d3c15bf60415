from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from users.models import User
from users.staff import second_factor


class Command(BaseCommand):
    help = "Remove the second factor of a member of staff, who then sets up a new one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("phone_number")

    def handle(self, *args: Any, phone_number: str, **options: Any) -> None:
        try:
            user = User.objects.get_by_natural_key(phone_number)
        except User.DoesNotExist:
            raise CommandError("Nobody has this number.") from None
        if not second_factor.remove(user):
            raise CommandError("This person has no second factor.")
        self.stdout.write("Removed. They set up a new one after the next password.")
