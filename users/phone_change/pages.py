"""Changing the number in two steps: the new number, then the two codes."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from config.api.error_handling import status_of
from config.refusals import Refusal
from users.challenges.exceptions import ChallengeRequired
from users.challenges.pages import challenge_page, sent_solution
from users.devices.middleware import bind_session_to_device
from users.login.clients import Client, set_known_device_cookie
from users.login.exceptions import ResendTooSoon
from users.login.pages import CODE_BACKEND
from users.phone_change import services as phone_change
from users.phone_change.forms import NewPhoneForm, PhoneChangeForm
from users.phones import PhoneNumber
from users.requests import SignedInPageRequest

# Key of the session: the new number, until the change is done.
PENDING = "pending_new_phone_number"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def number_page(request: SignedInPageRequest) -> HttpResponse:
    if request.method != "POST":
        initial = {"phone_number": request.session.get(PENDING, "")}
        return _number_page(request, NewPhoneForm(initial=initial))
    form = NewPhoneForm(request.POST)
    if not form.is_valid():
        return _number_page(request, form, status=400)
    change = {
        "user": request.user,
        "phone_number": form.cleaned_data["phone_number"],
        "client": Client.of(request, challenge_solution=sent_solution(request)),
    }
    try:
        phone_change.request_codes(**change)
    except ChallengeRequired as refusal:
        return challenge_page(request, refusal)
    except Refusal as refusal:
        # A double click, or "send again" too soon: the codes sent before are valid.
        is_sent = isinstance(refusal, ResendTooSoon) and phone_change.sent_codes(
            **change
        )
        if not is_sent:
            form.add_error("phone_number", str(refusal))
            return _number_page(request, form, status=status_of(refusal))
        messages.info(request, _("The codes were sent a moment ago. Enter those."))
    request.session[PENDING] = change["phone_number"]
    return redirect("profile-phone-code")


def _number_page(
    request: HttpRequest, form: NewPhoneForm, *, status: int = 200
) -> HttpResponse:
    return render(request, "users/phone.html", {"form": form}, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def codes_page(request: SignedInPageRequest) -> HttpResponse:
    if PENDING not in request.session:
        return redirect("profile-phone")
    phone_number = PhoneNumber(request.session[PENDING])
    form = PhoneChangeForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                return _change(request, phone_number, form)
            except Refusal as refusal:
                field = refusal.attr if refusal.attr in form.fields else None
                form.add_error(field, str(refusal))
                status = status_of(refusal)
    client = Client.of(request)
    sent = phone_change.sent_codes(
        user=request.user, phone_number=phone_number, client=client
    )
    context = {"form": form, "phone_number": phone_number, "sent": sent}
    return render(request, "users/phone_code.html", context, status=status)


def _change(
    request: SignedInPageRequest, phone_number: PhoneNumber, form: PhoneChangeForm
) -> HttpResponse:
    changed = phone_change.change_phone_number(
        user=request.user,
        phone_number=phone_number,
        old_digits=form.cleaned_data["old_code"],
        new_digits=form.cleaned_data["new_code"],
        client=Client.of(request),
    )
    login(request, changed.user, backend=CODE_BACKEND)
    request.session.cycle_key()  # ends copies of the cookie
    bind_session_to_device(request, changed.device)
    del request.session[PENDING]
    messages.success(
        request, _("Your number is changed. Other devices have to sign in again.")
    )
    response = redirect("profile")
    set_known_device_cookie(response, changed.known_device_token)
    return response
