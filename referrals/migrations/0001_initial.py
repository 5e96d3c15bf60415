import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Referral",
            fields=[
                (
                    "invitee",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="activation",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="invitee",
                    ),
                ),
                (
                    "code_used",
                    models.CharField(max_length=6, verbose_name="invite code used"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="activated at"
                    ),
                ),
                (
                    "inviter",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="referrals",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="inviter",
                    ),
                ),
            ],
            options={
                "verbose_name": "referral",
                "verbose_name_plural": "referrals",
                "indexes": [
                    models.Index(
                        fields=["inviter", "-created_at", "-invitee"],
                        name="referral_newest_first",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("inviter", models.F("invitee")), _negated=True
                        ),
                        name="referral_is_not_to_oneself",
                    )
                ],
            },
        ),
    ]
