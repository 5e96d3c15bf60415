from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from config.exceptions import Refusal
from limits.addresses import client_address
from referrals.codes import normalize_invite_code
from referrals.exceptions import InviteCodeOwn, InviteCodeUnknown
from referrals.forms import InviteCodeForm
from referrals.services import activate_invite_code, look_up_inviter


class SignedInRequest(HttpRequest):
    """For the type checker: what `login_required` makes sure of."""

    user: AbstractBaseUser  # type: ignore[assignment]  # wider: any user model


@require_GET
def invite_page(request: HttpRequest, code: str) -> HttpResponse:
    """Where a share link leads. Opening it changes nothing: messengers open it, too."""
    try:
        inviter = look_up_inviter(
            normalize_invite_code(code) or "", address=client_address(request)
        )
    except InviteCodeUnknown:
        return render(request, "referrals/invite_unknown.html", status=404)
    context = {"inviter": inviter, "is_own": inviter.pk == request.user.pk}
    return render(request, "referrals/invite.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def activate_page(request: SignedInRequest) -> HttpResponse:
    """GET asks whether this inviter is meant; only the POST activates, for good."""
    user = request.user
    form = InviteCodeForm(request.POST if request.method == "POST" else request.GET)
    context: dict[str, object] = {"form": form}
    if not form.is_valid():
        return render(request, "referrals/activate.html", context, status=400)
    code = form.cleaned_data["invite_code"]
    try:
        if request.method == "POST":
            activate_invite_code(invitee=user, code=code)
            messages.success(request, _("The invite code is activated."))
            return redirect("profile")
        inviter = look_up_inviter(code, address=client_address(request))
        if inviter.pk == user.pk:
            raise InviteCodeOwn
    except Refusal as refusal:
        form.add_error("invite_code", str(refusal.detail))
        status = refusal.status_code
        return render(request, "referrals/activate.html", context, status=status)
    return render(request, "referrals/activate.html", {**context, "inviter": inviter})
