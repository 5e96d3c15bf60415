"""The key that an account has for its known devices.

Accounts that exist get one at their next sign-in; see 0007_device_random_id.
"""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0007_device_random_id")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.AddField(
                    "user",
                    "known_devices_key",
                    models.UUIDField(editable=False, null=True),
                )
            ],
            state_operations=[
                migrations.AddField(
                    "user",
                    "known_devices_key",
                    models.UUIDField(default=uuid.uuid4, editable=False, null=True),
                )
            ],
        )
    ]
