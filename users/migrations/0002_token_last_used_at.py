import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="token",
            name="last_used_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, verbose_name="last used at"
            ),
        ),
    ]
