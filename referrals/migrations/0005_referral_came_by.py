from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("referrals", "0004_longer_invite_codes")]

    operations = [
        migrations.AddField(
            "referral",
            "came_by",
            models.CharField(
                choices=[
                    ("link", "link"),
                    ("qr", "QR code"),
                    ("typed", "typed"),
                    ("api", "app (API)"),
                ],
                editable=False,
                max_length=10,
                null=True,
                verbose_name="came by",
            ),
        )
    ]
