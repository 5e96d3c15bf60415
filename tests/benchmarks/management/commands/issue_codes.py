"""Issues login codes for the benchmark of sign-ins, without SMS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from tests.benchmarks import people
from users.login import codes
from users.phones import PhoneNumber


class Command(BaseCommand):
    help = "Issue codes to many numbers; write numbers and codes to a file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--first", type=int, required=True)
        parser.add_argument("--count", type=int, required=True)
        parser.add_argument(
            "--new", action="store_true", help="use numbers without an account"
        )
        parser.add_argument("--file", required=True)

    def handle(
        self, *args: Any, first: int, count: int, new: bool, file: str, **options: Any
    ) -> None:
        number_of = people.new_phone_number if new else people.phone_number
        with open(file, "w") as lines:
            for i in tqdm(range(first, first + count), "codes", unit="", leave=False):
                number = PhoneNumber(number_of(i))
                code = codes.issue(number, length=4)
                lines.write(f"{number} {code.digits}\n")
