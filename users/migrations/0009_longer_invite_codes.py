from typing import Any

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class AddUncheckedConstraint(AddConstraintNotValid):
    """On PostgreSQL, without reading the rows: they all satisfied the stricter one."""

    def database_forwards(
        self, app_label: Any, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddConstraint.database_forwards(
                self, app_label, schema_editor, from_state, to_state
            )


class Migration(migrations.Migration):
    dependencies = [("users", "0008_user_known_devices_key")]

    operations = [
        # First: to change a column, PostgreSQL checks all rows by its constraints again.
        # With ten million people that kept the table locked for 18 seconds.
        migrations.RemoveConstraint(
            model_name="user", name="user_invite_code_is_valid"
        ),
        migrations.AlterField(
            model_name="user",
            name="invite_code",
            field=models.CharField(
                editable=False, max_length=10, verbose_name="invite code"
            ),
        ),
        AddUncheckedConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    invite_code__regex="^[0123456789ABCDEFGHJKMNPQRSTVWXYZ]{6,10}$"
                ),
                name="user_invite_code_is_valid",
            ),
        ),
    ]
