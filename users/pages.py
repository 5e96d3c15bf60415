"""Pages for people in a browser, over the same services as the API."""

from copy import copy
from typing import Any
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from rest_framework.request import Request

from config.exceptions import Refusal
from limits.addresses import client_address
from referrals.charts import bar_chart
from referrals.codes import normalize_invite_code
from referrals.exceptions import InviteCodeUnknown
from referrals.forms import InviteCodeForm
from referrals.models import Referral
from referrals.pagination import ReferralPagination, count_of
from users import services
from users.clients import KNOWN_FOR_SECONDS, Client
from users.exceptions import ResendTooSoon, SmsUnsure
from users.forms import CodeForm, DeleteAccountForm, PhoneForm, ProfileForm
from users.middleware import device, remember_device, sign_out_browser
from users.models import User

# The number that a code was sent to, until the sign-in is through.
PENDING = "pending_phone_number"
NEXT = "pending_next"
# Of the share link that was followed; goes before one that came with the code request.
INVITE_CODE = "pending_invite_code"
CHART_DAYS = 30
# Outlives the session: it signs nobody in, it only keeps strangers out of the way.
DEVICE_COOKIE = "known_device"
CODE_BACKEND = "users.authentication.CodeBackend"


class SignedInRequest(HttpRequest):
    """For the type checker: what `login_required` makes sure of."""

    user: User


@require_http_methods(["GET", "HEAD", "POST"])
def login_page(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _send_code(request)
    invite_code = normalize_invite_code(request.GET.get("invite", ""))
    if request.user.is_authenticated:
        if invite_code:
            query = urlencode({"invite_code": invite_code})
            return redirect(f"{reverse('activate')}?{query}")
        return redirect("profile")
    _remember_next(request)
    if invite_code:
        request.session[INVITE_CODE] = invite_code
    form = PhoneForm(initial={"phone_number": request.session.get(PENDING, "")})
    return _login_page(request, form)


def _send_code(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("profile")
    form = PhoneForm(request.POST)
    if not form.is_valid():
        return _login_page(request, form, status=400)
    phone_number, client = form.cleaned_data["phone_number"], client_of(request)
    try:
        services.request_code(
            phone_number=phone_number,
            client=client,
            invite_code=request.session.get(INVITE_CODE),
        )
    except InviteCodeUnknown as refusal:
        # The inviter has gone meanwhile: say so, and let people go on without.
        del request.session[INVITE_CODE]
        messages.warning(request, str(refusal.detail))
        return _login_page(request, form, status=refusal.status_code)
    except ResendTooSoon:
        # A double click, or a code asked for elsewhere: that SMS is there to be used.
        if services.sent_code(phone_number, client):
            messages.info(request, _("A code was sent a moment ago. Enter that one."))
    except SmsUnsure as refusal:  # to where its code can be entered if it comes
        messages.warning(request, str(refusal.detail))
    except Refusal as refusal:
        form.add_error("phone_number", str(refusal.detail))
        return _login_page(request, form, status=refusal.status_code)
    request.session[PENDING] = phone_number
    return redirect("login-code")


def _login_page(
    request: HttpRequest, form: PhoneForm, *, status: int = 200
) -> HttpResponse:
    context = {"form": form, "invite_code": request.session.get(INVITE_CODE)}
    return render(request, "users/login.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def code_page(request: HttpRequest) -> HttpResponse:
    phone_number = request.session.get(PENDING)
    if phone_number is None:
        return redirect("login")
    form = CodeForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                return _sign_in(request, phone_number, form.cleaned_data["code"])
            except Refusal as refusal:
                form.add_error("code", str(refusal.detail))
                status = refusal.status_code
        else:
            status = 400
    client = client_of(request)
    context = {
        "form": form,
        "phone_number": phone_number,
        "sent": services.sent_code(phone_number, client),
        "resend_in": services.seconds_until_resend(phone_number, client),
    }
    return render(request, "users/code.html", context, status=status)


def _sign_in(request: HttpRequest, phone_number: str, digits: str) -> HttpResponse:
    signed_in = services.sign_in(
        phone_number=phone_number,
        digits=digits,
        client=client_of(request),
        brought_invite_code=request.session.get(INVITE_CODE),
        device=device(request),
    )
    next_url = request.session.get(NEXT) or reverse("profile")
    login(request, signed_in.user, backend=CODE_BACKEND)
    remember_device(request, signed_in.device)
    for key in (PENDING, INVITE_CODE, NEXT):
        request.session.pop(key, None)
    if signed_in.invite_code_applied:
        messages.success(request, _("Welcome! Your invitation has been counted."))
    elif signed_in.invite_code_refusal:
        messages.warning(request, str(signed_in.invite_code_refusal.detail))
    response = redirect(next_url)
    keep_device_token(response, signed_in.device_token)
    return response


def keep_device_token(response: HttpResponse, device_token: str) -> None:
    response.set_cookie(
        DEVICE_COOKIE,
        device_token,
        max_age=KNOWN_FOR_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _remember_next(request: HttpRequest) -> None:
    """Where to go after signing in: a path of this site, or nowhere special."""
    url = request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(url, allowed_hosts=None):
        request.session[NEXT] = url
    else:
        request.session.pop(NEXT, None)


def client_of(request: HttpRequest) -> Client:
    return Client(client_address(request), request.COOKIES.get(DEVICE_COOKIE, ""))


@login_required
@require_safe
def profile_page(request: SignedInRequest) -> HttpResponse:
    user = request.user
    pagination = ReferralPagination()
    referrals = Referral.objects.of_inviter(user.pk).with_count(user.pk)
    rows: Any = pagination.paginate_queryset(referrals, Request(request))
    invite_link = request.build_absolute_uri(reverse("invite", args=[user.invite_code]))
    context = {
        "invite_link": invite_link,
        "qr_code": _qr_code(invite_link),
        "invite_code_form": InviteCodeForm(),
        "referrals": rows,
        "referrals_count": count_of(rows),
        "newer_url": pagination.get_previous_link(),
        "older_url": pagination.get_next_link(),
        "chart": bar_chart(Referral.objects.per_day(user.pk, days=CHART_DAYS)),
        "chart_days": CHART_DAYS,
    }
    return render(request, "users/profile.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_page(request: SignedInRequest) -> HttpResponse:
    # A copy: a form writes what it was sent on its instance, valid or not.
    user = copy(request.user)
    if request.method != "POST":
        form = ProfileForm(instance=user)
        return render(request, "users/edit.html", {"form": form})
    form = ProfileForm(request.POST, instance=user)
    if not form.is_valid():
        return render(request, "users/edit.html", {"form": form}, status=400)
    services.update_profile(request.user, **form.cleaned_data)
    messages.success(request, _("Saved."))
    return redirect("profile")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_page(request: SignedInRequest) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = DeleteAccountForm(data, user=request.user)
    if data is None or not form.is_valid():
        status = 200 if data is None else 400
        return render(request, "users/delete.html", {"form": form}, status=status)
    services.delete_account(request.user)
    logout(request)
    messages.success(request, _("Your account has been deleted."))
    return redirect("front")


def logout_page(request: HttpRequest) -> HttpResponse:
    """Changes something on POST only; who comes by a link is led to the front page."""
    if request.method == "POST":
        sign_out_browser(request)
        logout(request)
        messages.success(request, _("You are signed out."))
    return redirect("front")


def logout_everywhere_page(request: HttpRequest) -> HttpResponse:
    if request.method == "POST" and isinstance(request.user, User):
        services.sign_out_everywhere(request.user)
        logout(request)
        messages.success(request, _("You are signed out on all your devices."))
    return redirect("front")


def _qr_code(text: str) -> str:
    """An inline SVG: dark on white, whatever the page's colours, or phones miss it."""
    code = segno.make(text, error="m", micro=False)
    svg = code.svg_inline(border=2, dark="#000", light="#fff", omitsize=True)
    return mark_safe(svg)  # noqa: S308  drawn by segno; the text is not part of it
