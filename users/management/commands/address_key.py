from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from limits.addresses import customer_address, keyed_address


class Command(BaseCommand):
    help = "Show what the audit trail writes for addresses, to find who they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("addresses", nargs="+", metavar="address")

    def handle(self, *args: Any, addresses: list[str], **options: Any) -> None:
        for address in addresses:
            key = keyed_address(customer_address(address))
            self.stdout.write(f"{key} {address}")
