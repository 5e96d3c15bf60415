from typing import Any

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class ValidateOnPostgreSQL(ValidateConstraint):
    """Reads all rows, and blocks neither reads nor writes meanwhile."""

    def database_forwards(
        self, app_label: Any, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    dependencies = [("users", "0009_longer_invite_codes")]

    operations = [
        ValidateOnPostgreSQL(model_name="user", name="user_invite_code_is_valid"),
    ]
