from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import BACKEND_SESSION_KEY
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from users.phones import MAX_INPUT_LENGTH

BY_PASSWORD = "django.contrib.auth.backends.ModelBackend"  # noqa: S105  a path


class StaffLoginForm(AdminAuthenticationForm):
    """Takes a number in any spelling, which may be longer than the number itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        username = self.fields["username"]
        username.max_length = MAX_INPUT_LENGTH  # type: ignore[attr-defined]  # CharField
        username.widget.attrs.update(maxlength=MAX_INPUT_LENGTH, type="tel")


class StaffSite(admin.AdminSite):
    """For whoever signed in by password: an SMS code opens one's own profile only."""

    login_form = StaffLoginForm
    site_header = site_title = _("Referral administration")

    def has_permission(self, request: HttpRequest) -> bool:
        by_password = request.session.get(BACKEND_SESSION_KEY) == BY_PASSWORD
        return by_password and super().has_permission(request)
