from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.monitoring import audit
from referrals.invite_codes import draw_invite_code
from referrals.ledger import person_key
from referrals.models import InviteCodeOwner, ReplacedInviteCode
from users.fields import EmailField, NameField, PhoneNumberField
from users.phones import (
    PATTERN,
    NotAPhoneNumber,
    PhoneNumber,
    normalize_phone_number,
)
from users.user_agents import device_name
from webhooks.services import record_event

# A million users have one in a thousand of the codes with 6 characters. All five draws
# are taken once in 10**15 times.
INVITE_CODE_DRAWS = 5


class UserManager(BaseUserManager["User"]):
    def create_user(
        self, phone_number: str, password: str | None = None, **fields: Any
    ) -> User:
        """Raises NotAPhoneNumber, and IntegrityError if the number is taken."""
        if not isinstance(phone_number, PhoneNumber):
            phone_number = normalize_phone_number(phone_number)
        for draws_left in reversed(range(INVITE_CODE_DRAWS)):
            user = self.model(
                phone_number=phone_number, invite_code=draw_invite_code(), **fields
            )
            user.set_password(password)
            try:
                with transaction.atomic(using=self._db):
                    user.save(using=self._db, force_insert=True)
                    # After the INSERT, which waits for a replacement of this code.
                    if ReplacedInviteCode.is_replaced(user.invite_code, self._db):
                        raise IntegrityError("Staff replaced this invite code.")
                    _record_creation(user)
                    _record_rights(user)
            except IntegrityError:
                code = user.invite_code
                is_taken = self.filter(invite_code=code).exists()
                is_replaced = ReplacedInviteCode.is_replaced(code, self._db)
                if not ((is_taken or is_replaced) and draws_left):
                    raise
            else:
                break
        return user

    def create_superuser(
        self, phone_number: str, password: str | None = None, **fields: Any
    ) -> User:
        return self.create_user(
            phone_number, password, **{**fields, "is_staff": True, "is_superuser": True}
        )

    def get_by_natural_key(self, username: str | None) -> User:
        """For password sign-in to the admin site, with the number in any spelling."""
        try:
            return self.get(phone_number=normalize_phone_number(username or ""))
        except NotAPhoneNumber:
            raise self.model.DoesNotExist from None


def _record_creation(user: User) -> None:
    record_event(
        type="user.created",
        data={
            "user_id": user.pk,
            "user_key": person_key(user.phone_number),
            "invite_code": user.invite_code,
            "created_at": user.date_joined.isoformat(),
        },
    )


def _record_rights(user: User) -> None:
    rights = [name for name in ("staff", "superuser") if getattr(user, f"is_{name}")]
    if rights:
        facts: dict[str, Any] = {"user": user.pk, "added": ", ".join(rights)}
        transaction.on_commit(partial(audit.record, "rights.changed", **facts))


class User(InviteCodeOwner, AbstractBaseUser, PermissionsMixin):
    phone_number = PhoneNumberField(_("phone number"))
    first_name = NameField(_("first name"), max_length=150, blank=True)
    last_name = NameField(_("last name"), max_length=150, blank=True)
    email = EmailField(_("e-mail"), blank=True)
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_(
            "Off: the account is closed. The person is signed out everywhere and "
            "cannot sign in."
        ),
    )
    is_staff = models.BooleanField(
        _("staff"), default=False, help_text=_("May sign in to this admin site.")
    )
    date_joined = models.DateTimeField(_("joined at"), default=timezone.now)
    # Known-device tokens contain it. A new key ends all of them.
    known_devices_key = models.UUIDField(default=uuid4, null=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "phone_number"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(
                fields=["phone_number"],
                name="user_phone_number_is_unique",
                violation_error_message=_("A person with this number already exists."),
            ),
            models.CheckConstraint(
                condition=Q(phone_number__regex=PATTERN),
                name="user_phone_number_is_e164",
            ),
            *InviteCodeOwner.Meta.constraints,
        ]
        indexes = [
            # For staff's lists, and to count who joined on each day.
            models.Index(fields=["-date_joined", "-id"], name="user_newest_first"),
            # Few rows, which would otherwise be searched among all.
            models.Index(
                fields=["-date_joined", "-id"],
                condition=Q(is_active=False),
                name="user_closed_newest_first",
            ),
            models.Index(
                fields=["-date_joined", "-id"],
                condition=Q(is_staff=True),
                name="user_staff_newest_first",
            ),
        ]
        permissions = [
            ("unlock_user", "Can clear the limits of a person's number"),
            ("export_user", "Can export people"),
            ("view_dashboard", "Can view the dashboard"),
        ]

    @property
    def public_name(self) -> str:
        return PhoneNumber(self.phone_number).masked

    @property
    def is_email_verified(self) -> bool:
        verified: VerifiedEmail | None = getattr(self, "verified_email", None)
        return verified is not None and verified.email == self.email

    def __str__(self) -> str:
        """Masked, because the admin site's history stores it."""
        return self.public_name

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        return self.first_name


class DeviceQuerySet(models.QuerySet["Device"]):
    def live(self) -> DeviceQuerySet:
        now = timezone.now()
        # expires_at includes SESSION_MAX_DAYS as it was at the last use.
        earliest_sign_in = now - timedelta(days=settings.SESSION_MAX_DAYS)
        return self.filter(
            Q(is_for_staff=True) | Q(created_at__gt=earliest_sign_in),
            expires_at__gt=now,
            user__is_active=True,
        )

    def of_user(self, user: User) -> DeviceQuerySet:
        return self.live().filter(user=user)


class Device(models.Model):
    """A signed-in device: an app, a browser or a program. Stores its token's digest."""

    digest = models.CharField(max_length=64, editable=False)
    # JWTs and browser sessions contain it beside the primary key. After a backup is
    # restored, the next devices get primary keys that were given out before.
    # None: the device signed in before devices had random ids.
    random_id = models.UUIDField(default=uuid4, null=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="devices"
    )
    user_agent = models.CharField(
        _("device"), max_length=200, blank=True, db_column="device"
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    # Exact to the day: a device in use is written to once a day.
    last_used_at = models.DateTimeField(_("last used at"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires at"))
    # Issued on the server's console: holding a staff member's phone is not enough.
    is_for_staff = models.BooleanField(default=False, editable=False)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        db_table = "users_token"  # its name before the model was renamed
        verbose_name = _("signed-in device")
        verbose_name_plural = _("signed-in devices")
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="token_digest_is_unique")
        ]

    def __str__(self) -> str:
        return self.user_agent or f"#{self.pk}"

    @property
    def name(self) -> str:
        return device_name(self.user_agent)

    def count_use(self, now: datetime) -> None:
        """Set last_used_at and expires_at, without saving them.

        A device expires TOKEN_IDLE_DAYS after its last use, and SESSION_MAX_DAYS after
        its sign-in at the latest.
        """
        self.last_used_at = now
        self.expires_at = min(
            now + timedelta(days=settings.TOKEN_IDLE_DAYS),
            self.created_at + timedelta(days=settings.SESSION_MAX_DAYS),
        )


class VerifiedEmail(models.Model):
    """The last e-mail that the person verified.

    It is valid only while it equals `user.email`.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="verified_email",
    )
    email = models.EmailField()
    # Language of the request that verified it, used for notices.
    language = models.CharField(max_length=10)
    verified_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"#{self.pk}"  # no address in logs


class TermsAcceptance(models.Model):
    """A version of the terms that a person accepted. Rows are added, never changed."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="terms_acceptances",
        db_index=False,  # covered by the constraint
    )
    version = models.CharField(max_length=50)
    accepted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user", "version"], name="terms_version_is_accepted_once"
            )
        ]

    def __str__(self) -> str:
        return self.version


class DayCount(models.Model):
    """The counts of a finished day (UTC). The cache counts the current one."""

    day = models.DateField(primary_key=True)
    codes_sent = models.PositiveIntegerField(default=0)
    sign_ins = models.PositiveIntegerField(default=0)
    # Defaults of the database, too: the version before adds rows without them.
    sms_failures = models.PositiveIntegerField(default=0, db_default=0)
    link_opens = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.day)
