"""Whoever may see and end a Token may see and end a Device.

The old permissions stay for the version before this one, which still asks for them.
"""

from typing import Any

from django.db import migrations

CODENAMES = {
    f"{action}_token": (f"{action}_device", f"Can {action} signed-in device")
    for action in ("add", "change", "delete", "view")
}


def copy_permissions(apps: Any, schema_editor: Any) -> None:
    content_types = apps.get_model("contenttypes", "ContentType").objects
    permissions = apps.get_model("auth", "Permission").objects
    device, _ = content_types.get_or_create(app_label="users", model="device")
    for old in permissions.filter(
        content_type__app_label="users",
        content_type__model="token",
        codename__in=CODENAMES,
    ):
        codename, name = CODENAMES[old.codename]
        new, _ = permissions.get_or_create(
            content_type=device, codename=codename, defaults={"name": name}
        )
        new.group_set.add(*old.group_set.all())
        new.user_set.add(*old.user_set.all())


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0005_rename_token_to_device"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(copy_permissions, migrations.RunPython.noop)]
