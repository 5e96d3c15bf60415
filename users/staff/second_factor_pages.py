"""The second step of signing in to the admin site.

After the right password nobody is signed in yet: the session only remembers whose
password it was, for ten minutes.
"""

import time
from base64 import b32encode
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_otp import login as mark_as_passed
from django_otp.models import Device as Factor

from config.monitoring import audit
from users.devices.middleware import open_admin_session
from users.models import User
from users.qr_codes import qr_code
from users.staff import second_factor
from users.staff.credentials import address_of

# Key of the session: whose password was right, until the second factor is.
PENDING = "pending_staff"
PENDING_SECONDS = 600


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )


def remember_password_was_right(
    request: HttpRequest, user: User, next_url: str
) -> None:
    request.session.cycle_key()
    request.session[PENDING] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),  # another password ends it
        "devices_key": str(user.known_devices_key),  # so does signing out everywhere
        "until": time.time() + PENDING_SECONDS,
        "next": next_url,
    }


def step(view: Any) -> Any:
    """For a view of (request, user), who has given the right password."""

    @never_cache
    @sensitive_post_parameters("code")
    @require_http_methods(["GET", "HEAD", "POST"])
    def checked(request: HttpRequest) -> HttpResponse:
        user = _pending_user(request)
        if user is None:
            request.session.pop(PENDING, None)
            return redirect("admin:login")
        with audit.always_with(by=user.pk, address=address_of(request)):
            response: HttpResponse = view(request, user)
            return response

    return checked


@step
def code_page(request: HttpRequest, user: User) -> HttpResponse:
    if not second_factor.is_set_up(user):
        return redirect("admin:second-factor-set-up")
    form = CodeForm(request.POST or None)
    form.fields["code"].help_text = _(
        "From your authenticator app, or one of your backup codes."
    )
    if form.is_valid():
        try:
            factor = second_factor.check(user, form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error("code", error)
        else:
            next_url = request.session[PENDING]["next"]
            _sign_in(request, user, factor)
            return HttpResponseRedirect(next_url)
    return _page(request, _("Second step"), form=form)


@step
def set_up_page(request: HttpRequest, user: User) -> HttpResponse:
    """The key is in the session, not in the database: each browser has its own."""
    if second_factor.is_set_up(user):
        return redirect("admin:second-factor")
    pending = request.session[PENDING]
    app = second_factor.new_app(user, pending.get("key", ""))
    request.session[PENDING] = {**pending, "key": app.key}
    form = CodeForm(request.POST or None)
    form.fields["code"].help_text = _("The six digits that the app shows now.")
    if form.is_valid():
        try:
            codes = second_factor.set_up(app, form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error("code", error)
        except second_factor.SecondFactorExists:
            return redirect("admin:second-factor")
        else:
            _sign_in(request, user, app)
            facts = {"codes": codes, "next": pending["next"]}
            return _page(request, _("Save your backup codes"), **facts)
    secret = b32encode(app.bin_key).decode()
    in_fours = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
    facts = {"form": form, "qr_code": qr_code(app.config_url), "secret": in_fours}
    return _page(request, _("Set up the second step"), **facts)


def _pending_user(request: HttpRequest) -> User | None:
    pending = request.session.get(PENDING)
    if pending is None or pending["until"] < time.time():
        return None
    staff = User.objects.filter(is_staff=True, is_active=True)
    user = staff.filter(pk=pending["user"]).first()
    if user is None:
        return None
    is_same = constant_time_compare(pending["hash"], user.get_session_auth_hash())
    if pending.get("devices_key") != str(user.known_devices_key):
        return None
    return user if is_same else None


def _sign_in(request: HttpRequest, user: User, factor: Factor) -> None:
    open_admin_session(request, user)
    mark_as_passed(request, factor)
    request.session.pop(PENDING, None)


def _page(request: HttpRequest, title: str, **context: Any) -> HttpResponse:
    site = admin.site.each_context(request)
    context = {**site, "title": title, **context}
    return TemplateResponse(request, "admin/second_factor.html", context)
