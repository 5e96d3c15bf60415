from collections.abc import Callable
from contextlib import suppress
from functools import partial, wraps
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_otp.middleware import is_verified

from config.admin.changed_columns import SavesPassword
from config.monitoring import audit
from users.authentication import BY_PASSWORD as BY_PASSWORD
from users.devices.middleware import open_admin_session, sign_out_session_device
from users.models import User
from users.next_url import sent_next_url
from users.phones import (
    MAX_INPUT_LENGTH,
    NotAPhoneNumber,
    PhoneNumber,
    normalize_phone_number,
)
from users.staff.credentials import address_of, counted_guess, password_limits
from users.staff.dashboard_page import dashboard_csv, dashboard_page
from users.staff.second_factor_pages import (
    code_page,
    remember_password_was_right,
    set_up_page,
)


class StaffLoginForm(AdminAuthenticationForm):
    """Accepts a number in any spelling, which may be longer than the stored one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        username = self.fields["username"]
        username.max_length = MAX_INPUT_LENGTH  # type: ignore[attr-defined]  # CharField
        username.widget.attrs.update(maxlength=MAX_INPUT_LENGTH, type="tel")

    def clean(self) -> dict[str, Any]:
        if not (
            self.cleaned_data.get("username") and self.cleaned_data.get("password")
        ):
            return self.cleaned_data
        assert self.request is not None  # noqa: S101  the admin site always passes it
        number: PhoneNumber | None = None
        with suppress(NotAPhoneNumber):
            number = normalize_phone_number(self.cleaned_data["username"])
        limits = password_limits(self.request, number)
        phone = number.masked if number else None
        with counted_guess("password", limits, phone=phone) as facts:
            # Not before: what a limit refuses must not cost a database connection.
            if number:
                accounts = User.objects.filter(phone_number=number)
                facts["user"] = accounts.values_list("pk", flat=True).first()
            return super().clean()


class StaffPasswordChangeForm(SavesPassword, AdminPasswordChangeForm):
    """Limits guesses at the old password like those at the sign-in."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        number = PhoneNumber(self.user.phone_number)
        limits = password_limits(self.request, number)
        with counted_guess("password", limits, phone=number.masked, user=self.user.pk):
            return super().clean_old_password()


class PasswordStep(LoginView):
    template_name = "admin/login.html"
    authentication_form = StaffLoginForm
    next_page = "admin:index"

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        return sent_next_url(self.request)

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        if not settings.ADMIN_SECOND_FACTOR:
            open_admin_session(self.request, user)
            return redirect(self.get_success_url())
        remember_password_was_right(self.request, user, self.get_success_url())
        return redirect("admin:second-factor")


class StaffSite(admin.AdminSite):
    """Only for sessions opened with a password, not for those opened with a code.

    With ADMIN_SECOND_FACTOR, the password must have been followed by a second factor.
    """

    site_header = site_title = gettext_lazy("Referral administration")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [
            path("dashboard/", self.admin_view(dashboard_page), name="dashboard"),
            path(
                "dashboard/days.csv",
                self.admin_view(dashboard_csv),
                name="dashboard-csv",
            ),
            path("second-factor/", code_page, name="second-factor"),
            path("second-factor/set-up/", set_up_page, name="second-factor-set-up"),
        ]
        return [*own, *super().get_urls()]

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Every event in the view gets its actor and address in the audit trail."""

        @wraps(view)
        def recorded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            facts = {"by": request.user.pk, "address": address_of(request)}
            with audit.always_with(**facts):
                return view(request, *args, **kwargs)

        return super().admin_view(recorded, cacheable)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        if request.method == "GET" and self.has_permission(request):
            return redirect("admin:index")
        context = {
            **self.each_context(request),
            "title": _("Log in"),
            "subtitle": None,
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            **(extra_context or {}),
        }
        with audit.always_with(address=address_of(request)):
            return PasswordStep.as_view(extra_context=context)(request)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        return PasswordChangeView.as_view(
            form_class=partial(StaffPasswordChangeForm, request=request),
            success_url=reverse("admin:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )(request)

    def logout(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        if request.method == "POST":
            sign_out_session_device(request)
        return super().logout(request, extra_context)

    def has_permission(self, request: HttpRequest) -> bool:
        if request.session.get(BACKEND_SESSION_KEY) != BY_PASSWORD:
            return False
        if settings.ADMIN_SECOND_FACTOR and not is_verified(request.user):
            return False
        return super().has_permission(request)
