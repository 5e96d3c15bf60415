from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from referrals.codes import normalize_invite_code
from referrals.models import Referral
from users import services
from users.models import Token, User
from users.phones import (
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


class PersonCreationForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("phone_number",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # People sign in by code; a password is for staff.
        self.fields["usable_password"].initial = "false"
        self.fields["usable_password"].help_text = _("Staff need one for this site.")

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
    fields = ["device", "created_at", "last_used_at", "expires_at"]
    readonly_fields = ["device", "created_at", "last_used_at", "expires_at"]
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
    search_help_text = _(
        "A number in any spelling or three of its digits, an invite code, or a name."
    )
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
    def activated_invite_code(self, user: User) -> str:
        return user.activated_invite_code or "-"

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> list[str]:
        """Nobody but a superuser makes staff, or gives rights that they lack."""
        fields = list(self.readonly_fields)
        if not request.user.is_superuser:
            fields += ["is_staff", "is_superuser", "groups", "user_permissions"]
        return fields

    def has_change_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        if obj and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        if obj and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_delete_permission(request, obj)

    def save_model(
        self, request: HttpRequest, obj: User, form: Any, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            services.close_account(obj)
        elif change and "phone_number" in form.changed_data:
            services.sign_out_everywhere(obj)  # the number's old owner must not stay

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        services.delete_account(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            services.delete_account(user)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with a person needs no permission of its own."""
        objects, counts, _perms_needed, protected = super().get_deleted_objects(
            objs, request
        )
        return objects, counts, set(), protected

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
            if any(letter.isalpha() for letter in term):
                found |= Q(first_name__istartswith=term)
                found |= Q(last_name__istartswith=term)
            elif len(digits) >= 3:
                found |= Q(phone_number__contains=digits)
        return queryset.filter(found), False
