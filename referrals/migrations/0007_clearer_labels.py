import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("referrals", "0006_replaced_invite_codes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="correction",
            name="activated_before",
            field=models.DateTimeField(
                null=True, verbose_name="previously activated at"
            ),
        ),
        migrations.AlterField(
            model_name="correction",
            name="after",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="new inviter",
            ),
        ),
        migrations.AlterField(
            model_name="correction",
            name="before",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="previous inviter",
            ),
        ),
        migrations.AlterField(
            model_name="correction",
            name="code_after",
            field=models.CharField(blank=True, max_length=10, verbose_name="new code"),
        ),
        migrations.AlterField(
            model_name="correction",
            name="code_before",
            field=models.CharField(
                blank=True, max_length=10, verbose_name="previous code"
            ),
        ),
        migrations.AlterField(
            model_name="correction",
            name="invitee",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="corrections",
                to=settings.AUTH_USER_MODEL,
                verbose_name="invited person",
            ),
        ),
        migrations.AlterField(
            model_name="referral",
            name="came_by",
            field=models.CharField(
                choices=[
                    ("link", "link"),
                    ("qr", "QR code"),
                    ("typed", "typed"),
                    ("api", "app (API)"),
                ],
                editable=False,
                max_length=10,
                null=True,
                verbose_name="source",
            ),
        ),
        migrations.AlterField(
            model_name="referral",
            name="invitee",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                primary_key=True,
                related_name="activation",
                serialize=False,
                to=settings.AUTH_USER_MODEL,
                verbose_name="invited person",
            ),
        ),
    ]
