from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from config.admin.changed_columns import SavesChangedColumns, SavesPassword
from config.admin.large_tables import PageOfList
from config.monitoring import audit
from referrals.models import Referral
from referrals.support.search import person_named
from users.models import User
from users.phone_change.services import move_account
from users.phones import PhoneNumber
from users.profile.services import close_account, delete_account
from users.staff.number_page import number_page, parse_phone_number
from users.staff.rights import RecordsRights, recorded_change
from users.staff.support_admin import SupportAdmin, may_touch, staff_of

if TYPE_CHECKING:
    UserModelAdmin = DjangoUserAdmin[User]
    UserCreationForm = AdminUserCreationForm[User]
    PasswordChangeForm = AdminPasswordChangeForm[User]
else:
    UserModelAdmin = DjangoUserAdmin
    UserCreationForm = AdminUserCreationForm
    PasswordChangeForm = AdminPasswordChangeForm


class PersonCreationForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("phone_number",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # People sign in with a code. Only staff need a password.
        self.fields["usable_password"].initial = "false"
        self.fields["usable_password"].help_text = _(
            "Only staff need a password, to sign in to this site."
        )

    def save(self, commit: bool = True) -> User:
        """The manager creates the account: it draws the invite code."""
        password = self.cleaned_data.get("password1") or None
        usable = self.cleaned_data.get("usable_password", True)
        return User.objects.create_user(
            self.cleaned_data["phone_number"], password if usable else None
        )

    def save_m2m(self) -> None:
        """There is nothing to save: groups are set on the change page."""


class PersonPasswordForm(SavesPassword, PasswordChangeForm):
    pass


class PageOfPeople(PageOfList):
    def get_results(self, request: HttpRequest) -> None:
        """Count for each person on this page how many they invited."""
        super().get_results(request)
        pks = [person.pk for person in self.result_list]
        invited = Referral.objects.filter(inviter_id__in=pks).order_by()
        counts = dict(invited.values_list("inviter_id").annotate(Count("pk")))
        for person in self.result_list:
            person.invited = counts.get(person.pk, 0)


@admin.register(User)
class UserAdmin(RecordsRights, SavesChangedColumns, SupportAdmin, UserModelAdmin):
    change_list_template = "admin/users/people.html"
    add_form = PersonCreationForm
    change_password_form = PersonPasswordForm
    add_fieldsets = [
        (
            None,
            {"fields": ["phone_number", "usable_password", "password1", "password2"]},
        )
    ]
    fieldsets = [
        (None, {"fields": ["phone_number", "first_name", "last_name", "email"]}),
        (
            _("Invitations"),
            {"fields": ["invite_code", "activated_invite_code", "invited_count"]},
        ),
        (
            _("Access"),
            {
                "classes": ["collapse"],
                "fields": [
                    "is_active",
                    "is_staff",
                    "is_superuser",
                    "password",
                    "groups",
                    "user_permissions",
                ],
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
    ]
    list_filter = ["is_active", "is_staff", "date_joined"]
    list_select_related = ["activation"]
    ordering = ["-date_joined", "-pk"]
    sortable_by = ["phone_number", "date_joined"]
    search_fields = ["phone_number"]  # shows the search box
    search_help_text = _("A whole phone number or an invite code, in any format.")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(number_page)
        return [path("number/", view, name="users_number"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        searched_number = parse_phone_number(request.GET.get("q", ""))
        context = {"searched_number": searched_number}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PageOfPeople

    @admin.display(description=_("invited"))
    def invited_count(self, user: User) -> int:
        """Counted for a whole page of the list at once, otherwise for one person."""
        if hasattr(user, "invited"):
            count: int = user.invited
            return count
        return Referral.objects.filter(inviter_id=user.pk).count()

    @admin.display(description=_("activated code"))
    def activated_invite_code(self, user: User) -> str:
        return user.activated_invite_code or "-"

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> list[str]:
        """Only a superuser makes people staff or gives permissions."""
        fields = list(self.readonly_fields)
        if not request.user.is_superuser:
            fields += ["is_staff", "is_superuser", "groups", "user_permissions"]
        return fields

    def has_change_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        return may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        return may_touch(request, obj) and super().has_delete_permission(request, obj)

    def save_model(
        self, request: HttpRequest, obj: User, form: Any, change: bool
    ) -> None:
        if change:
            # Not found: the account was deleted since the form was opened.
            person = get_object_or_404(User.objects.select_for_update(), pk=obj.pk)
            if "phone_number" in form.changed_data:
                number = PhoneNumber(obj.phone_number)
                move_account(person, number, by=staff_of(request))
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data:
            if obj.is_active:
                audit.record("account.reopened", user=obj.pk, by=request.user.pk)
            else:
                close_account(obj, by=staff_of(request))

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        view = super().user_change_password
        person = self.get_object(request, unquote(id))
        if request.method != "POST" or person is None:
            return view(request, id, form_url)
        with recorded_change(person):
            return view(request, id, form_url)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        delete_account(obj, by=staff_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            delete_account(user, by=staff_of(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Ask for the permission to delete people, not for their related rows."""
        objects, counts, _perms_needed, protected = super().get_deleted_objects(
            objs, request
        )
        may_delete = all(self.has_delete_permission(request, user) for user in objs)
        perms_needed = set() if may_delete else {self.opts.verbose_name}
        return objects, counts, perms_needed, protected

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        if not search_term.strip():
            return queryset, False
        named = person_named(search_term)
        return queryset.filter(named) if named else queryset.none(), False
