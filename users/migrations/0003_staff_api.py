from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("users", "0002_token_last_used_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="token",
            name="is_for_staff",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                fields=["-date_joined", "-id"], name="user_newest_first"
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("is_active", False)),
                fields=["-date_joined", "-id"],
                name="user_closed_newest_first",
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("is_staff", True)),
                fields=["-date_joined", "-id"],
                name="user_staff_newest_first",
            ),
        ),
    ]
