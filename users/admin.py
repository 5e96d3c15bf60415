from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from referrals.codes import normalize_invite_code
from referrals.models import Referral
from users.models import Token, User
from users.phones import (
    MAX_INPUT_LENGTH,
    InvalidPhoneNumber,
    normalize_phone_number,
)

if TYPE_CHECKING:
    UserModelAdmin = DjangoUserAdmin[User]
    TokenTabularInline = admin.TabularInline[Token, User]
    UserCreationForm = AdminUserCreationForm[User]
else:
    UserModelAdmin = DjangoUserAdmin
    TokenTabularInline = admin.TabularInline
    UserCreationForm = AdminUserCreationForm


class StaffLoginForm(AdminAuthenticationForm):
    """Takes a number in any spelling, which may be longer than the number itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        username = self.fields["username"]
        username.max_length = MAX_INPUT_LENGTH  # type: ignore[attr-defined]  # CharField
        username.widget.attrs.update(maxlength=MAX_INPUT_LENGTH, type="tel")


admin.site.login_form = StaffLoginForm
admin.site.site_header = admin.site.site_title = _("Referral administration")


class PersonCreationForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("phone_number",)

    def save(self, commit: bool = True) -> User:
        """The manager creates the person: it draws the invite code."""
        password = self.cleaned_data.get("password1") or None
        usable = self.cleaned_data.get("usable_password", True)
        return User.objects.create_user(
            self.cleaned_data["phone_number"], password if usable else None
        )

    def save_m2m(self) -> None:
        """Nothing to save: groups are given on the change page."""


class TokenInline(TokenTabularInline):
    model = Token
    fields = ["device", "created_at", "expires_at"]
    readonly_fields = ["device", "created_at", "expires_at"]
    extra = 0
    max_num = 0
    verbose_name_plural = _("Signed-in devices; delete one to sign it out")


@admin.register(User)
class UserAdmin(UserModelAdmin):
    add_form = PersonCreationForm
    add_fieldsets = [
        (
            None,
            {"fields": ["phone_number", "usable_password", "password1", "password2"]},
        )
    ]
    fieldsets = [
        (None, {"fields": ["phone_number", "first_name", "last_name", "email"]}),
        (
            _("Invites"),
            {"fields": ["invite_code", "activated_invite_code", "invited_count"]},
        ),
        (
            _("Access"),
            {
                "fields": [
                    "is_active",
                    "is_staff",
                    "is_superuser",
                    "password",
                    "groups",
                    "user_permissions",
                ]
            },
        ),
        (_("Dates"), {"fields": ["date_joined", "last_login"]}),
    ]
    readonly_fields = [
        "invite_code",
        "activated_invite_code",
        "invited_count",
        "date_joined",
        "last_login",
    ]
    list_display = [
        "phone_number",
        "invite_code",
        "activated_invite_code",
        "invited_count",
        "date_joined",
        "is_active",
        "is_staff",
    ]
    list_filter = ["is_active", "is_staff", "date_joined"]
    list_select_related = ["activation"]
    ordering = ["-pk"]
    search_fields = ["phone_number"]  # shows the box; get_search_results reads it
    search_help_text = _("A phone number in any spelling, a part of it, or a code.")
    show_full_result_count = False
    inlines = [TokenInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        invited = (
            Referral.objects.filter(inviter=OuterRef("pk"))
            .order_by()
            .values("inviter")
            .annotate(number=Count("pk"))
            .values("number")
        )
        people: QuerySet[User] = super().get_queryset(request)
        return people.annotate(
            invited=Coalesce(Subquery(invited, output_field=IntegerField()), 0)
        )

    @admin.display(description=_("invited"), ordering="invited")
    def invited_count(self, user: User) -> int:
        count: int = user.invited  # type: ignore[attr-defined]  # by get_queryset
        return count

    @admin.display(description=_("activated code"))
    def activated_invite_code(self, user: User) -> str | None:
        return user.activated_invite_code

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        return [TokenInline] if obj else []

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(invite_code=normalize_invite_code(term) or "")
        try:
            found |= Q(phone_number=normalize_phone_number(term))
        except InvalidPhoneNumber:
            digits = "".join(letter for letter in term if letter.isdecimal())
            if len(digits) >= 3:
                found |= Q(phone_number__contains=digits)
        return queryset.filter(found), False
