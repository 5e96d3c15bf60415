from typing import Any

from django.core.management.base import BaseCommand

from users.staff.support_group import GROUP, give_rights


class Command(BaseCommand):
    help = "Make the group of support staff, or give it its rights again."

    def handle(self, *args: Any, **options: Any) -> None:
        group = give_rights()
        self.stdout.write(
            f"{GROUP}: {group.permissions.count()} rights. Add people to the group, "
            "make them staff, and set a password, in /admin/."
        )
