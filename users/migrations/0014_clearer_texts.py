from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0013_verifiedemail"),
    ]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="is_active",
            field=models.BooleanField(
                default=True,
                help_text="Off: the account is closed. The person is signed out everywhere and cannot sign in.",
                verbose_name="active",
            ),
        ),
        migrations.AlterConstraint(
            model_name="user",
            name="user_phone_number_is_unique",
            constraint=models.UniqueConstraint(
                fields=("phone_number",),
                name="user_phone_number_is_unique",
                violation_error_message="A person with this number already exists.",
            ),
        ),
    ]
