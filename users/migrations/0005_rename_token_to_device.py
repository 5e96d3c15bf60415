"""The model Token becomes Device, and its field `device` becomes `user_agent`.

In Python only: the table and its columns keep their names, so the version before this
one runs on beside it during the upgrade.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0004_support")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Token", "Device"),
                migrations.AlterModelTable("Device", "users_token"),
                migrations.RenameField("Device", "device", "user_agent"),
                migrations.AlterField(
                    "Device",
                    "user_agent",
                    models.CharField(
                        blank=True,
                        db_column="device",
                        max_length=200,
                        verbose_name="device",
                    ),
                ),
                migrations.AlterField(
                    "Device",
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="devices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ]
        )
    ]
