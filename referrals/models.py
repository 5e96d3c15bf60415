from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connections, models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from referrals.invite_codes import LENGTH, PATTERN
from referrals.statistics.per_day import count_per_day

# Beyond it people read "999+"; the exact number is a matter of statistics.
MOST_COUNTED = 999


class InviteCodeOwner(models.Model):
    """Mixin for the user model: an invite code of one's own, drawn once, never changed.

    Whoever creates the row sets `invite_code` with `draw_invite_code()` and draws again
    when the database says that it is taken.
    """

    invite_code = models.CharField(_("invite code"), max_length=LENGTH, editable=False)

    class Meta:
        abstract = True
        constraints = [
            # A constraint and not `unique=True`, which adds an index for LIKE as well.
            models.UniqueConstraint(
                fields=["invite_code"], name="%(class)s_invite_code_is_unique"
            ),
            models.CheckConstraint(
                condition=Q(invite_code__regex=PATTERN),
                name="%(class)s_invite_code_is_valid",
            ),
        ]

    @property
    def public_name(self) -> str:
        """How the owner is shown to whoever has the code: recognisable, not more."""
        raise NotImplementedError

    @property
    def activated_invite_code(self) -> str | None:
        activation: Referral | None = getattr(self, "activation", None)
        return activation.code_used if activation else None


class ReferralQuerySet(models.QuerySet["Referral"]):
    def newest_first(self) -> ReferralQuerySet:
        return self.order_by("-created_at", "-invitee_id")

    def per_day(self, inviter_id: int, *, days: int) -> dict[date, int]:
        """Activations on each of the last `days` days (UTC), today last."""
        rows = self.filter(inviter_id=inviter_id)
        return count_per_day(rows, "created_at", days=days)

    def of_inviter(self, inviter_id: int) -> ReferralQuerySet:
        """Newest first, with no more of each invitee than the name to show."""
        name = f"invitee__{get_user_model().USERNAME_FIELD}"
        return (
            self.filter(inviter_id=inviter_id)
            .newest_first()
            .only("created_at")
            .annotate(invitee_name=F(name))
        )

    def with_count(self, inviter_id: int) -> ReferralQuerySet:
        """Each row with `count`: how many the inviter has, up to MOST_COUNTED + 1.

        Bounded, for reading 100,000 index entries at every look at a profile would make
        it slower the better it goes.
        """
        counted = Referral.objects.filter(inviter_id=inviter_id).values("pk")
        return self.annotate(count=_Count(counted[: MOST_COUNTED + 1]))

    def newest(self, inviter_id: int, number: int) -> list[ReferralRow]:
        """`of_inviter` and `with_count`, for a read that must be cheap: the profile's.

        The SQL that the ORM makes is kept: making it takes five times as long as the
        rest. And no model's instance is made of a row.
        """
        sql, parameters = _newest_sql(number)
        with connections[self.db].cursor() as cursor:
            cursor.execute(sql, [inviter_id] * parameters)
            rows = cursor.fetchall()
        return [ReferralRow(name, _as_time(at), count) for name, at, count in rows]


@cache
def _newest_sql(number: int) -> tuple[str, int]:
    """With the inviter's id as its only parameter, so many times."""
    newest = Referral.objects.of_inviter(0).with_count(0)[:number]
    columns: Any = ("invitee_name", "created_at", "count")
    sql, parameters = newest.values_list(*columns).query.sql_with_params()
    assert set(parameters) == {0}  # noqa: S101  limits are written out
    return sql, len(parameters)


def _as_time(value: datetime) -> datetime:
    """SQLite's come without a zone."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReferralRow:
    """What `of_inviter` and `with_count` read."""

    invitee_name: str
    created_at: datetime
    count: int


class _Count(models.Subquery):
    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = models.IntegerField()


class Referral(models.Model):
    """One person's activation of another person's invite code.

    The invitee is the primary key: nobody can be invited twice.
    """

    invitee = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="activation",
        verbose_name=_("invitee"),
    )
    # Null after the inviter's account is gone; the invitee keeps the activated code.
    inviter = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="referrals",
        db_index=False,  # covered by referral_newest_first
        verbose_name=_("inviter"),
    )
    code_used = models.CharField(_("invite code used"), max_length=LENGTH)
    created_at = models.DateTimeField(_("activated at"), default=timezone.now)

    objects = ReferralQuerySet.as_manager()

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        constraints = [
            models.CheckConstraint(
                condition=~Q(inviter=F("invitee")), name="referral_is_not_to_oneself"
            )
        ]
        indexes = [
            models.Index(
                fields=["inviter", "-created_at", "-invitee"],
                name="referral_newest_first",
            ),
            # The admin site's list; how many each day, and of which inviter.
            models.Index(
                fields=["-created_at", "-invitee", "inviter"],
                name="referral_all_newest_first",
            ),
            # The codes of those who are gone can be found by nothing else.
            models.Index(
                fields=["code_used"],
                condition=Q(inviter=None),
                name="referral_code_without_inviter",
            ),
        ]
        permissions = [("export_referral", "Can export referrals")]

    def __str__(self) -> str:
        return self.code_used


class Correction(models.Model):
    """Who was changed to be whose inviter, by whom and why; nothing is overwritten."""

    invitee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="corrections",
        verbose_name=_("invitee"),
    )
    before = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("inviter before"),
    )
    # What is needed to put back a referral as it was; empty where there was none.
    code_before = models.CharField(_("code before"), max_length=LENGTH, blank=True)
    activated_before = models.DateTimeField(_("activated before"), null=True)
    after = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("inviter after"),
    )
    code_after = models.CharField(_("code after"), max_length=LENGTH, blank=True)
    reason = models.CharField(_("reason"), max_length=500)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("corrected by"),
    )
    created_at = models.DateTimeField(_("corrected at"), default=timezone.now)

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        default_permissions = ("add", "view")
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason=""), name="correction_has_a_reason"
            )
        ]

    def __str__(self) -> str:
        return f"{self.code_before or '–'} → {self.code_after or '–'}"
