from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0010_check_invite_codes")]

    operations = [
        # With defaults of the database: the version before adds rows without them.
        migrations.AddField(
            "daycount",
            "link_opens",
            models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            "daycount",
            "sms_failures",
            models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
