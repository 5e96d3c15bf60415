from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from config.api.error_handling import status_of
from config.refusals import Refusal
from limits.addresses import client_address
from referrals.exceptions import InviteCodeOwn, InviteCodeUnknown
from referrals.forms import InviteCodeForm
from referrals.invite_codes import normalize_invite_code
from referrals.services import activate_invite_code, look_up_inviter


@require_safe
def invite_page(request: HttpRequest, code: str) -> HttpResponse:
    """The page of a share link. A GET changes nothing: messengers open links, too."""
    try:
        inviter = look_up_inviter(
            normalize_invite_code(code) or "",
            address=client_address(request),
            username=request.user.get_username(),
        )
    except InviteCodeUnknown:
        return render(request, "referrals/invite_unknown.html", status=404)
    context = {"inviter": inviter, "is_own": inviter.pk == request.user.pk}
    return render(request, "referrals/invite.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def activate_page(request: HttpRequest) -> HttpResponse:
    """GET asks to confirm the inviter. POST activates the code, for good."""
    is_post = request.method == "POST"
    data = request.POST if is_post else request.GET
    user = request.user
    address = client_address(request)
    if not isinstance(user, AbstractBaseUser):
        # After the sign-in, people come back here with the same code.
        query = urlencode({"invite_code": data.get("invite_code", "")})
        return redirect_to_login(f"{reverse('activate')}?{query}")
    if "invite_code" not in data:
        return _activate_page(request, InviteCodeForm())
    form = InviteCodeForm(data)
    if not form.is_valid():
        return _activate_page(request, form, status=400)
    code = form.cleaned_data["invite_code"]
    try:
        if is_post:
            activate_invite_code(invitee=user, code=code, address=address)
            messages.success(request, _("The invite code is activated."))
            return redirect("profile")
        inviter = look_up_inviter(code, address=address, username=user.get_username())
        if inviter.pk == user.pk:
            raise InviteCodeOwn
    except Refusal as refusal:
        form.add_error("invite_code", str(refusal))
        return _activate_page(request, form, status=status_of(refusal))
    return _activate_page(request, form, inviter=inviter)


def _activate_page(
    request: HttpRequest,
    form: InviteCodeForm,
    *,
    status: int = 200,
    inviter: AbstractBaseUser | None = None,
) -> HttpResponse:
    context = {"form": form, "inviter": inviter}
    return render(request, "referrals/activate.html", context, status=status)
