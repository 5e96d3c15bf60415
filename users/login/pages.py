from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from config.api.error_handling import status_of
from config.refusals import Refusal
from referrals.exceptions import InviteCodeUnknown
from referrals.invite_codes import normalize_invite_code
from users.challenges.exceptions import ChallengeRequired
from users.challenges.pages import challenge_page, sent_solution
from users.devices.middleware import bind_session_to_device
from users.login import services
from users.login.clients import Client, set_known_device_cookie
from users.login.exceptions import ResendTooSoon
from users.login.forms import CodeForm, PhoneForm
from users.phones import PhoneNumber
from users.sms.exceptions import SmsUnsure

# Keys of the session. The number that a code was sent to, until the sign-in:
PENDING = "pending_phone_number"
NEXT = "pending_next"
# From the invite link that was followed:
INVITE_CODE = "pending_invite_code"
CODE_BACKEND = "users.authentication.CodeBackend"


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
    phone_number = form.cleaned_data["phone_number"]
    client = Client.of(request, challenge_solution=sent_solution(request))
    try:
        services.request_code(
            phone_number=phone_number,
            client=client,
            invite_code=request.session.get(INVITE_CODE),
        )
    except InviteCodeUnknown as refusal:
        # The inviter's account was deleted since. People may sign in without.
        del request.session[INVITE_CODE]
        messages.warning(request, str(refusal))
        return _login_page(request, form, status=status_of(refusal))
    except ResendTooSoon:
        # A double click, or a code asked for elsewhere: that code is valid.
        if services.sent_code(phone_number, client):
            messages.info(request, _("A code was sent a moment ago. Enter that one."))
    except SmsUnsure as refusal:  # the next page takes the code, in case it arrives
        messages.warning(request, str(refusal))
    except ChallengeRequired as refusal:
        return challenge_page(request, refusal)
    except Refusal as refusal:
        form.add_error("phone_number", str(refusal))
        return _login_page(request, form, status=status_of(refusal))
    request.session[PENDING] = phone_number
    return redirect("login-code")


def _login_page(
    request: HttpRequest, form: PhoneForm, *, status: int = 200
) -> HttpResponse:
    context = {"form": form, "invite_code": request.session.get(INVITE_CODE)}
    return render(request, "users/login.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def code_page(request: HttpRequest) -> HttpResponse:
    if PENDING not in request.session:
        return redirect("login")
    phone_number = PhoneNumber(request.session[PENDING])
    form = CodeForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                return _sign_in(request, phone_number, form.cleaned_data["code"])
            except Refusal as refusal:
                form.add_error("code", str(refusal))
                status = status_of(refusal)
        else:
            status = 400
    client = Client.of(request)
    context = {
        "form": form,
        "phone_number": phone_number,
        "sent": services.sent_code(phone_number, client),
        "resend_in": services.resend_in(phone_number, client),
    }
    return render(request, "users/code.html", context, status=status)


def _sign_in(
    request: HttpRequest, phone_number: PhoneNumber, digits: str
) -> HttpResponse:
    signed_in = services.sign_in(
        phone_number=phone_number,
        digits=digits,
        client=Client.of(request),
        link_invite_code=request.session.get(INVITE_CODE),
    )
    next_url = request.session.get(NEXT) or reverse("profile")
    login(request, signed_in.user, backend=CODE_BACKEND)
    bind_session_to_device(request, signed_in.device)
    for key in (PENDING, INVITE_CODE, NEXT):
        request.session.pop(key, None)
    if signed_in.invite_code_applied:
        messages.success(request, _("Welcome! Your invitation has been counted."))
    elif signed_in.invite_code_refusal:
        messages.warning(request, str(signed_in.invite_code_refusal))
    response = redirect(next_url)
    set_known_device_cookie(response, signed_in.known_device_token)
    return response


def _remember_next(request: HttpRequest) -> None:
    """Store where to go after the sign-in, if it is a path of this site."""
    url = request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(url, allowed_hosts=None):
        request.session[NEXT] = url
    else:
        request.session.pop(NEXT, None)
