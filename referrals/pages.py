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
from referrals.came_by import CameBy, read_came_by
from referrals.exceptions import InviteCodeOwn, InviteCodeUnknown
from referrals.forms import InviteCodeForm
from referrals.invite_codes import normalize_invite_code
from referrals.services import activate_invite_code, look_up_inviter
from referrals.statistics.link_opens import count_open


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
    is_own = inviter.pk == request.user.pk
    came_by = read_came_by(request.GET.get("by"), CameBy.LINK)
    if not is_own and came_by != CameBy.TYPED:
        count_open(request)
    context = {"inviter": inviter, "is_own": is_own, "came_by": came_by}
    return render(request, "referrals/invite.html", context)


@require_safe
def find_invite_page(request: HttpRequest) -> HttpResponse:
    """The page of an invite code that somebody typed, in any spelling."""
    code = normalize_invite_code(request.GET.get("invite_code", ""))
    if code is None:
        return render(request, "referrals/invite_unknown.html", status=404)
    return redirect(f"{reverse('invite', args=[code])}?by={CameBy.TYPED}")


@require_http_methods(["GET", "HEAD", "POST"])
def activate_page(request: HttpRequest) -> HttpResponse:
    """GET asks to confirm the inviter. POST activates the code, for good."""
    is_post = request.method == "POST"
    data = request.POST if is_post else request.GET
    user = request.user
    address = client_address(request)
    if not isinstance(user, AbstractBaseUser):
        # After the sign-in, people come back here with the same code.
        text = data.get("invite_code", "")
        # The code alone: a whole share text would be too long to come back with.
        code = normalize_invite_code(text)
        facts = {"invite_code": code, "came_by": data.get("came_by", "")}
        query = f"?{urlencode({k: v for k, v in facts.items() if v})}" if code else ""
        return redirect_to_login(f"{reverse('activate')}{query}")
    if "invite_code" not in data:
        return _activate_page(request, InviteCodeForm())
    form = InviteCodeForm(data)
    if not form.is_valid():
        return _activate_page(request, form, status=400)
    code = form.cleaned_data["invite_code"]
    try:
        if is_post:
            activate_invite_code(
                invitee=user,
                code=code,
                address=address,
                came_by=read_came_by(data.get("came_by"), CameBy.TYPED),
            )
            messages.success(request, _("The invite code has been activated."))
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
    data = request.POST or request.GET
    came_by = read_came_by(data.get("came_by"), CameBy.TYPED)
    context = {"form": form, "inviter": inviter, "came_by": came_by}
    return render(request, "referrals/activate.html", context, status=status)
