import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("referrals", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Correction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "code_before",
                    models.CharField(
                        blank=True, max_length=6, verbose_name="code before"
                    ),
                ),
                (
                    "activated_before",
                    models.DateTimeField(null=True, verbose_name="activated before"),
                ),
                (
                    "code_after",
                    models.CharField(
                        blank=True, max_length=6, verbose_name="code after"
                    ),
                ),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="corrected at"
                    ),
                ),
            ],
            options={
                "verbose_name": "correction",
                "verbose_name_plural": "corrections",
                "default_permissions": ("add", "view"),
            },
        ),
        migrations.AlterModelOptions(
            name="referral",
            options={
                "permissions": [("export_referral", "Can export referrals")],
                "verbose_name": "referral",
                "verbose_name_plural": "referrals",
            },
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(
                fields=["-created_at", "-invitee", "inviter"],
                name="referral_all_newest_first",
            ),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(
                condition=models.Q(("inviter", None)),
                fields=["code_used"],
                name="referral_code_without_inviter",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="after",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="inviter after",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="before",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="inviter before",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="corrected by",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="invitee",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="corrections",
                to=settings.AUTH_USER_MODEL,
                verbose_name="invitee",
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True),
                name="correction_has_a_reason",
            ),
        ),
    ]
