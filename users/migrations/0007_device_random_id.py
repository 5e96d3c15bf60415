"""A random id for each device.

The column stays empty in the rows that exist: the database does not rewrite the table,
and the version before this one runs on beside it. `AddField` with a default would write
one value into all rows, so only the state gets the default.
"""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0006_copy_device_permissions")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.AddField(
                    "device",
                    "random_id",
                    models.UUIDField(editable=False, null=True),
                )
            ],
            state_operations=[
                migrations.AddField(
                    "device",
                    "random_id",
                    models.UUIDField(default=uuid.uuid4, editable=False, null=True),
                )
            ],
        )
    ]
