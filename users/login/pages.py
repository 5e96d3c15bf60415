import time
from dataclasses import replace
from typing import cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from config.api.error_handling import status_of
from config.refusals import Refusal
from config.time_zones import in_zone_of_reader
from config.waits import with_wait
from limits.addresses import client_address
from referrals.came_by import CameBy, read_came_by
from referrals.exceptions import InviteCodeAlreadyActivated, InviteCodeUnknown
from referrals.invite_codes import normalize_invite_code
from referrals.services import look_up_inviter
from users.challenges.exceptions import ChallengeRequired
from users.challenges.pages import challenge_page, sent_solution
from users.channels import Channel
from users.channels.exceptions import SmsUnsure
from users.channels.sending import channels
from users.devices.middleware import bind_session_to_device
from users.login import requesting, signing_in
from users.login.answers import told
from users.login.clients import Client, set_known_device_cookie
from users.login.delivery_notice import delivery_notice
from users.login.exceptions import CodeExpired, ResendTooSoon, blocked_seconds
from users.login.forms import CodeForm, PhoneForm
from users.login.pending import (
    INVITATION_COOKIE,
    SIGN_IN_COOKIE,
    Invitation,
    PendingSignIn,
    accepted_invitation,
    forget,
    keep_invitation,
    keep_sign_in,
    pending_sign_in,
)
from users.models import User
from users.next_url import sent_next_url
from users.phones import PhoneNumber
from users.terms.services import current_terms

CODE_BACKEND = "users.authentication.CodeBackend"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def login_page(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _send_code(request)
    invite_code = normalize_invite_code(request.GET.get("invite", ""))
    if request.user.is_authenticated:
        return _to_activation(invite_code) if invite_code else redirect("profile")
    if invite_code:  # a link does not count by itself: people see whom they credit
        return redirect("invite", invite_code)
    pending = pending_sign_in(request)
    form = PhoneForm(initial={"phone_number": pending.phone_number if pending else ""})
    return _login_page(request, form)


@require_POST
def invitation_page(request: HttpRequest) -> HttpResponse:
    """Keep an invite code until the sign-in, or forget it: an empty one is sent."""
    invite_code = normalize_invite_code(request.POST.get("invite_code", ""))
    if invite_code and request.user.is_authenticated:
        return _to_activation(invite_code, request.POST.get("came_by", "")[:10])
    next_url = sent_next_url(request)
    query = f"?{urlencode({'next': next_url})}" if next_url else ""
    response = redirect(f"{reverse('login')}{query}")
    if "on_code_page" in request.POST:
        response = redirect("login-code")
    if invite_code is None:
        forget(response, INVITATION_COOKIE)
        return response
    try:
        inviter = look_up_inviter(invite_code, address=client_address(request))
    except InviteCodeUnknown:
        return render(request, "referrals/invite_unknown.html", status=404)
    inviter_name = cast("User", inviter).public_name
    came_by = read_came_by(request.POST.get("came_by"), CameBy.TYPED)
    keep_invitation(response, Invitation(invite_code, inviter_name, came_by))
    return response


def _send_code(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("profile")
    form = PhoneForm(request.POST)
    if not form.is_valid():
        return _login_page(request, form, status=400)
    phone_number, next_url = form.cleaned_data["phone_number"], sent_next_url(request)
    known = pending_sign_in(request)
    if known and known.phone_number == phone_number and known.guess_block:
        # The service would send the same code again, and this browser has no guesses
        # left for it.
        return redirect("login-code")
    client = Client.of(request, challenge_solution=sent_solution(request))
    try:
        sent = requesting.request_code(
            phone_number=phone_number, client=client, channel=picked_channel(request)
        )
        pending = PendingSignIn.of(sent, next_url)
        if sent.is_fallback:
            messages.info(request, told(sent))
        if sent.was_sent_before:
            text = _("A code was sent to this number earlier. It is still valid.")
            messages.info(request, text)
    except ResendTooSoon as refusal:
        pending = _sent_before(request, phone_number, refusal.retry_after, next_url)
        if not pending.has_expired:
            text = _("A code was sent a moment ago. Enter it, unless you have used it.")
            messages.info(request, text)
    except SmsUnsure as refusal:  # the next page takes the code, in case it arrives
        messages.warning(request, str(refusal))
        pending = PendingSignIn(
            phone_number,
            resend_at=time.time(),
            next_url=next_url,
            channel=refusal.channel,
            channels=refusal.channels,
        )
    except ChallengeRequired as refusal:
        return challenge_page(request, refusal)
    except Refusal as refusal:
        form.add_error("phone_number", with_wait(refusal))
        return _login_page(request, form, status=status_of(refusal))
    response = redirect("login-code")
    keep_sign_in(response, pending)
    return response


def _sent_before(
    request: HttpRequest, phone_number: PhoneNumber, wait: int, next_url: str
) -> PendingSignIn:
    """What this browser knows of the code that was sent before.

    No more: whether the code is alive now is nothing that strangers may ask for free.
    """
    known = pending_sign_in(request)
    if known and known.phone_number != phone_number:
        known = None
    if known and known.resend_in:  # a double click: nothing has been sent since
        return replace(known, next_url=next_url)
    # The number's code may be longer, but that is nothing to tell strangers, either.
    length = (known and known.code_length) or settings.LOGIN_CODE_LENGTH
    return PendingSignIn(
        phone_number,
        time.time() + wait,
        next_url=next_url,
        channels=requesting.channels_of(phone_number, code_length=length),
    )


def picked_channel(request: HttpRequest) -> Channel | None:
    """None if the channel was switched off after the page was made."""
    offered = channels()
    picked = request.POST.get("channel")
    return next((channel for channel in offered if channel == picked), None)


def _login_page(
    request: HttpRequest, form: PhoneForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "invitation": accepted_invitation(request),
        "channel": channels()[0],
        "next_url": sent_next_url(request),
        "terms": current_terms(),
    }
    return render(request, "users/login.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@in_zone_of_reader
def code_page(request: HttpRequest) -> HttpResponse:
    """Shows only what this browser was told when it asked for the code."""
    if request.user.is_authenticated:  # the form was sent twice, or in another tab
        return redirect("profile")
    pending = pending_sign_in(request)
    if pending is None:
        return redirect("login")
    form = CodeForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                return _sign_in(request, pending, form.cleaned_data["code"])
            except Refusal as refusal:
                form.add_error("code", with_wait(refusal))
                status = status_of(refusal)
                pending = _after(refusal, pending)
        else:
            status = 400
    if pending.channel == Channel.CALL:
        form.fields["code"].label = _("Last 4 digits of the number that called you")
    elif pending.channel != Channel.SMS and pending.channel:
        form.fields["code"].label = _("Code")
    delivery = None
    if not pending.has_expired:
        delivery = delivery_notice(pending.delivery_id, pending.channels)
    context = {
        "form": form,
        "pending": pending,
        "delivery": delivery,
        "invitation": accepted_invitation(request),
        "terms": current_terms(),
    }
    response = render(request, "users/code.html", context, status=status)
    # What the refusal told is kept. Not at each look at the page: it ends in an hour.
    if request.method == "POST" and (
        pending.guess_block or pending.code_length is None
    ):
        keep_sign_in(response, pending)
    return response


def _after(refusal: Refusal, pending: PendingSignIn) -> PendingSignIn:
    """What the browser knows once its guess was refused."""
    if isinstance(refusal, CodeExpired):
        if refusal.is_replaced:  # the newer one may be longer, and valid for longer
            return replace(pending, code_length=None, expires_at=None, dev_code=None)
        return replace(pending, resend_at=time.time())  # let people ask for another one
    return replace(pending, blocked_until=time.time() + blocked_seconds(refusal))


def _sign_in(request: HttpRequest, pending: PendingSignIn, digits: str) -> HttpResponse:
    invitation = accepted_invitation(request)
    signed_in = signing_in.sign_in(
        phone_number=PhoneNumber(pending.phone_number),
        digits=digits,
        client=Client.of(request),
        recall_invite_code=lambda: invitation.invite_code if invitation else None,
        came_by=_came_by(invitation),
        accepted_terms_version=request.POST.get("terms_version", ""),
    )
    login(request, signed_in.user, backend=CODE_BACKEND)
    bind_session_to_device(request, signed_in.device)
    response: HttpResponse = HttpResponseRedirect(
        pending.next_url or reverse("profile")
    )
    if signed_in.invite_code_applied:
        messages.success(request, _("Welcome! You have accepted the invitation."))
    elif signed_in.invite_code_refusal:
        messages.warning(request, str(signed_in.invite_code_refusal))
    elif invitation and signed_in.user.activated_invite_code:
        messages.warning(request, str(InviteCodeAlreadyActivated.text))
    elif invitation:  # they have an account already: ask again
        response = _to_activation(invitation.invite_code, _came_by(invitation))
    forget(response, SIGN_IN_COOKIE, INVITATION_COOKIE)
    set_known_device_cookie(response, signed_in.known_device_token)
    return response


def _came_by(invitation: Invitation | None) -> CameBy:
    return read_came_by(invitation.came_by if invitation else None, CameBy.TYPED)


def _to_activation(invite_code: str, came_by: str = "") -> HttpResponse:
    facts = {"invite_code": invite_code, "came_by": came_by}
    query = urlencode({name: fact for name, fact in facts.items() if fact})
    return redirect(f"{reverse('activate')}?{query}")
