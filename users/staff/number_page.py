"""History and limits of a number that has no account."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from users.fields import PhoneNumberFormField
from users.models import User
from users.phones import PhoneNumber
from users.staff import support
from users.staff.support_admin import staff_of
from users.staff.timeline import timeline


class NumberForm(forms.Form):
    phone_number = PhoneNumberFormField(
        label=gettext_lazy("Phone number"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "tel"}),
    )


def parse_phone_number(text: str) -> PhoneNumber | None:
    form = NumberForm({"phone_number": text})
    return PhoneNumber(form.cleaned_data["phone_number"]) if form.is_valid() else None


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("users.view_user", raise_exception=True)
@sensitive_post_parameters("phone_number")
def number_page(request: HttpRequest) -> HttpResponse:
    """POST, so that this page's URL contains no phone number."""
    form = NumberForm(request.POST or None)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Number without an account"),
        "form": form,
    }
    if form.is_valid():
        number = PhoneNumber(form.cleaned_data["phone_number"])
        if person := User.objects.filter(phone_number=number).first():
            return redirect("admin:users_user_change", person.pk)
        if "unlock" in request.POST:
            _unlock(request, number)
        context |= {
            "number": number,
            "state": support.login_state_of_number(number),
            "timeline": timeline(number),
        }
    return TemplateResponse(request, "admin/users/number.html", context)


def _unlock(request: HttpRequest, number: PhoneNumber) -> None:
    if not request.user.has_perm("users.unlock_user"):
        raise PermissionDenied
    support.unlock_number(number, by=staff_of(request))
    messages.success(request, _("The limits have been cleared."))
