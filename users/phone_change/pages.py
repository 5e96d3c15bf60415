"""Changing the number in two steps: the new number, then the two codes."""

import time
from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from config.api.error_handling import status_of
from config.refusals import Refusal
from config.time_zones import in_zone_of_reader
from users.challenges.exceptions import ChallengeRequired
from users.challenges.pages import challenge_page, sent_solution
from users.channels.exceptions import SmsUnsure
from users.devices.middleware import bind_session_to_device
from users.login.answers import told
from users.login.clients import Client, set_known_device_cookie
from users.login.delivery_notice import delivery_notice
from users.login.exceptions import ResendTooSoon, blocked_seconds
from users.login.guess_block import GuessBlock, guess_block
from users.login.pages import CODE_BACKEND, picked_channel
from users.models import User
from users.phone_change import services as phone_change
from users.phone_change.forms import NewPhoneForm, PhoneChangeForm
from users.phone_change.services import CodesSent
from users.phones import PhoneNumber
from users.requests import SignedInPageRequest

# Keys of the session, until the change is done: the new number; the ids of the last
# message to each number by which `channels.deliveries` knows it; and until when there
# are no guesses left at the codes, in seconds since the epoch.
PENDING = "pending_new_phone_number"
DELIVERIES = "pending_phone_change_deliveries"
BLOCKED_UNTIL = "pending_phone_change_blocked_until"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def number_page(request: SignedInPageRequest) -> HttpResponse:
    if request.method != "POST":
        initial = {"phone_number": request.session.get(PENDING, "")}
        return _number_page(request, NewPhoneForm(initial=initial))
    form = NewPhoneForm(request.POST)
    if not form.is_valid():
        return _number_page(request, form, status=400)
    phone_number = form.cleaned_data["phone_number"]
    if request.session.get(PENDING) == phone_number and _guess_block(request):
        # The service would send the same codes again, and this browser has no guesses
        # left for them.
        return redirect("profile-phone-code")
    change: dict[str, Any] = {
        "user": request.user,
        "phone_number": phone_number,
        "client": Client.of(request, challenge_solution=sent_solution(request)),
    }
    sent: CodesSent | None = None
    try:
        sent = phone_change.request_codes(**change, channel=picked_channel(request))
        for text in {told(code) for code in sent.both if code.is_fallback}:
            messages.info(request, text)
    except SmsUnsure as refusal:  # the next page takes the codes, in case they arrive
        messages.warning(request, str(refusal))
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
    _keep_change(request, phone_number, sent)
    return redirect("profile-phone-code")


def _keep_change(
    request: SignedInPageRequest, phone_number: PhoneNumber, sent: CodesSent | None
) -> None:
    """`sent`: None if nothing was sent now, or if that is not known."""
    is_same_change = request.session.get(PENDING) == phone_number
    kept = request.session.get(DELIVERIES) if is_same_change else None
    ids = list(kept or [None, None])
    for place, code in enumerate(sent.both if sent else ()):
        if code.channel:  # the code was sent now, not before
            ids[place] = code.delivery_id
    request.session[DELIVERIES] = ids
    request.session[PENDING] = phone_number
    request.session.pop(BLOCKED_UNTIL, None)


def _number_page(
    request: HttpRequest, form: NewPhoneForm, *, status: int = 200
) -> HttpResponse:
    return render(request, "users/phone.html", {"form": form}, status=status)


def _guess_block(request: SignedInPageRequest) -> GuessBlock | None:
    return guess_block(request.session.get(BLOCKED_UNTIL, 0))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@in_zone_of_reader
def codes_page(request: SignedInPageRequest) -> HttpResponse:
    if PENDING not in request.session:
        return redirect("profile-phone")
    phone_number = PhoneNumber(request.session[PENDING])
    if request.method != "POST":
        return _codes_page(request, phone_number, PhoneChangeForm())
    form = PhoneChangeForm(request.POST)
    if not form.is_valid():
        return _codes_page(request, phone_number, form, status=400)
    try:
        return _change(request, phone_number, form)
    except Refusal as refusal:
        return _refused(request, phone_number, form, refusal)


def _refused(
    request: SignedInPageRequest,
    phone_number: PhoneNumber,
    form: PhoneChangeForm,
    refusal: Refusal,
) -> HttpResponse:
    if _has_changed(request, phone_number):  # the form was sent twice
        return redirect("profile")
    field = refusal.attr if refusal.attr in form.fields else None
    form.add_error(field, str(refusal))
    if seconds := blocked_seconds(refusal):
        request.session[BLOCKED_UNTIL] = time.time() + seconds
    return _codes_page(request, phone_number, form, status=status_of(refusal))


def _codes_page(
    request: SignedInPageRequest,
    phone_number: PhoneNumber,
    form: PhoneChangeForm,
    *,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "phone_number": phone_number}
    if block := _guess_block(request):
        context["guess_block"] = block
    else:
        context |= _sent_codes(request, phone_number)
    return render(request, "users/phone_code.html", context, status=status)


def _sent_codes(
    request: SignedInPageRequest, phone_number: PhoneNumber
) -> dict[str, Any]:
    """The codes that are valid now and their deliveries, for the template."""
    sent = phone_change.sent_codes(
        user=request.user, phone_number=phone_number, client=Client.of(request)
    )
    if not sent:
        return {}
    old_id, new_id = request.session.get(DELIVERIES, (None, None))
    return {
        "sent": sent,
        "old_delivery": delivery_notice(old_id, sent.old_code.channels),
        "new_delivery": delivery_notice(new_id, sent.new_code.channels),
    }


def _has_changed(request: SignedInPageRequest, phone_number: PhoneNumber) -> bool:
    own = User.objects.filter(pk=request.user.pk, phone_number=phone_number)
    return own.exists()


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
    request.session.pop(DELIVERIES, None)
    request.session.pop(BLOCKED_UNTIL, None)
    messages.success(
        request, _("Your number has been changed. Other devices have to sign in again.")
    )
    response = redirect("profile")
    set_known_device_cookie(response, changed.known_device_token)
    return response
