from contextlib import suppress
from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import BACKEND_SESSION_KEY
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _

from config.refusals import LimitReached
from limits.addresses import client_address
from limits.budgets import attempt, reserve
from limits.commands import AttemptLimit
from users.authentication import BY_PASSWORD as BY_PASSWORD
from users.devices.middleware import sign_out_session_device
from users.phones import MAX_INPUT_LENGTH, NotAPhoneNumber, normalize_phone_number
from users.staff.dashboard_page import dashboard_page


class StaffLoginForm(AdminAuthenticationForm):
    """Accepts a number in any spelling, which may be longer than the stored one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        username = self.fields["username"]
        username.max_length = MAX_INPUT_LENGTH  # type: ignore[attr-defined]  # CharField
        username.widget.attrs.update(maxlength=MAX_INPUT_LENGTH, type="tel")

    def clean(self) -> dict[str, Any]:
        """Count the guess before the password is checked; refund it if it was right."""
        try:
            guess = reserve(*self._limits())
        except LimitReached as refusal:
            raise ValidationError(str(refusal), code="throttled") from None
        data = super().clean()
        guess.refund()
        return data

    def _limits(self) -> list[AttemptLimit | None]:
        assert self.request is not None  # noqa: S101  the admin site always passes it
        address = client_address(self.request)
        limits = [attempt("password_guesses_per_address", address)]
        with suppress(NotAPhoneNumber):
            number = normalize_phone_number(self.cleaned_data.get("username", ""))
            limits.append(attempt("password_guesses_per_phone", number.pseudonym))
        return limits


class StaffSite(admin.AdminSite):
    """Only for sessions opened with a password, not for those opened with a code."""

    login_form = StaffLoginForm
    site_header = site_title = _("Referral administration")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        dashboard = self.admin_view(dashboard_page)
        own = [path("dashboard/", dashboard, name="dashboard")]
        return [*own, *super().get_urls()]

    def logout(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        if request.method == "POST":
            sign_out_session_device(request)
        return super().logout(request, extra_context)

    def has_permission(self, request: HttpRequest) -> bool:
        by_password = request.session.get(BACKEND_SESSION_KEY) == BY_PASSWORD
        return by_password and super().has_permission(request)
