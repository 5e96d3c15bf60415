from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connections, models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from referrals.came_by import CameBy
from referrals.invite_codes import LENGTHS, PATTERN
from referrals.statistics.per_day import count_per_day

# Larger numbers are shown as "999+". The statistics have the exact number.
MOST_COUNTED = 999


class InviteCodeOwner(models.Model):
    """Mixin for the user model: an invite code. Only staff replace it.

    To create a row, set `invite_code` to `draw_invite_code()`, and draw again if the
    database says that it is taken, or if it is a ReplacedInviteCode.
    """

    invite_code = models.CharField(
        _("invite code"), max_length=LENGTHS[-1], editable=False
    )

    class Meta:
        abstract = True
        constraints = [
            # A constraint: `unique=True` would add a second index, for LIKE.
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
        """How the owner is shown to people who have the code."""
        raise NotImplementedError

    @property
    def activated_invite_code(self) -> str | None:
        activation: Referral | None = getattr(self, "activation", None)
        return activation.code_used if activation else None


class ReferralQuerySet(models.QuerySet["Referral"]):
    def newest_first(self) -> ReferralQuerySet:
        return self.order_by("-created_at", "-invitee_id")

    def per_day(self, inviter_id: int, *, days: int) -> dict[date, int]:
        """Activations on each of the last `days` days, today last."""
        rows = self.filter(inviter_id=inviter_id)
        return count_per_day(rows, "created_at", days=days)

    def of_inviter(self, inviter_id: int) -> ReferralQuerySet:
        """Newest first, with only the name of each invitee."""
        name = f"invitee__{get_user_model().USERNAME_FIELD}"
        return (
            self.filter(inviter_id=inviter_id)
            .newest_first()
            .only("created_at")
            .annotate(invitee_name=F(name))
        )

    def with_count(self, inviter_id: int) -> ReferralQuerySet:
        """Each row with `count`: how many the inviter has, up to MOST_COUNTED + 1."""
        return self.annotate(count=bounded_count(inviter_id))

    def newest(self, inviter_id: int, number: int) -> list[ReferralRow]:
        """`of_inviter` and `with_count`, in plain SQL for the profile.

        The profile is read most often, and the ORM would take several times as long to
        make the statement as the database takes to run it.
        """
        users = get_user_model()
        sql = f"""
            SELECT invitee.{users.USERNAME_FIELD}, referral.created_at, (
                SELECT COUNT(*) FROM (
                    SELECT 1 FROM {self.model._meta.db_table}
                    WHERE inviter_id = %s LIMIT {MOST_COUNTED + 1}
                ) AS counted
            )
            FROM {self.model._meta.db_table} AS referral
            JOIN {users._meta.db_table} AS invitee ON invitee.id = referral.invitee_id
            WHERE referral.inviter_id = %s
            ORDER BY referral.created_at DESC, referral.invitee_id DESC
            LIMIT {int(number)}
        """  # noqa: S608  names of our own tables and numbers
        with connections[self.db].cursor() as cursor:
            cursor.execute(sql, [inviter_id, inviter_id])
            rows = cursor.fetchall()
        return [ReferralRow(name, _as_time(at), count) for name, at, count in rows]


def _as_time(value: datetime) -> datetime:
    """SQLite returns times without a zone."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReferralRow:
    """A row of `newest`."""

    invitee_name: str
    created_at: datetime
    count: int


def bounded_count(inviter_id: int | models.OuterRef) -> models.Subquery:
    """How many referrals the inviter has, up to MOST_COUNTED + 1.

    Bounded, because reading 100,000 index entries at each look at a profile would make
    the profile of the best inviter the slowest.
    """
    counted = Referral.objects.filter(inviter_id=inviter_id).order_by().values("pk")
    return _Count(counted[: MOST_COUNTED + 1])


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
        verbose_name=_("invited person"),
    )
    # Null after the inviter's account was deleted. The invitee keeps the code.
    inviter = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="referrals",
        db_index=False,  # covered by referral_newest_first
        verbose_name=_("inviter"),
    )
    code_used = models.CharField(_("invite code used"), max_length=LENGTHS[-1])
    created_at = models.DateTimeField(_("activated at"), default=timezone.now)
    # Null: not known. The referral is older than this column, or a correction made it.
    came_by = models.CharField(  # noqa: DJ001  no row has to be rewritten
        _("source"), max_length=10, choices=CameBy, null=True, editable=False
    )

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
            # For the admin site's list, and for counts by day and inviter.
            models.Index(
                fields=["-created_at", "-invitee", "inviter"],
                name="referral_all_newest_first",
            ),
            # To find the codes of inviters whose accounts were deleted.
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
    """A change of somebody's inviter by staff. Rows are added, never changed."""

    invitee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="corrections",
        verbose_name=_("invited person"),
    )
    before = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("previous inviter"),
    )
    # To restore the referral of before. Empty if there was none.
    code_before = models.CharField(
        _("previous code"), max_length=LENGTHS[-1], blank=True
    )
    activated_before = models.DateTimeField(_("previously activated at"), null=True)
    after = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("new inviter"),
    )
    code_after = models.CharField(_("new code"), max_length=LENGTHS[-1], blank=True)
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


class ReplacedInviteCode(models.Model):
    """An invite code that staff replaced by another. Rows are added, never changed."""

    code = models.CharField(_("code"), max_length=LENGTHS[-1], primary_key=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="replaced_invite_codes",
        verbose_name=_("owner"),
    )
    is_honoured = models.BooleanField(_("still works"))
    reason = models.CharField(_("reason"), max_length=500)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("replaced by"),
    )
    created_at = models.DateTimeField(_("replaced at"), default=timezone.now)

    class Meta:
        verbose_name = _("replaced invite code")
        verbose_name_plural = _("replaced invite codes")
        default_permissions = ("add", "view")
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason=""), name="replaced_code_has_a_reason"
            )
        ]

    def __str__(self) -> str:
        return self.code

    @classmethod
    def is_replaced(cls, code: str, using: str | None = None) -> bool:
        """It may still credit its owner, and must not be given to anybody else."""
        return cls.objects.using(using).filter(code=code).exists()


class LedgerEntry(models.Model):
    """A change that affects rewards. Rows are added, never deleted.

    It has the id, the type, the time and the data of the event that told it.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    type = models.CharField(max_length=50)
    # The invitee, or whose account it was. Not a foreign key: the row outlives it.
    person_id = models.BigIntegerField()
    at = models.DateTimeField()
    data = models.JSONField()
    # The place in the feed. None until `number_entries` was called after the commit.
    position = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["position"], name="ledger_position_is_unique"
            )
        ]
        indexes = [
            models.Index(fields=["person_id"], name="ledger_of_person"),
            models.Index(
                fields=["at", "id"],
                condition=Q(position=None),
                name="ledger_without_position",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"
