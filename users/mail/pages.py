from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from config.api.error_handling import status_of
from config.refusals import NotFound, Refusal
from config.waits import with_wait
from users.mail import services
from users.mail.exceptions import EmailLinkInvalid
from users.requests import SignedInPageRequest


@login_required
@require_POST
def send_link_page(request: SignedInPageRequest) -> HttpResponse:
    try:
        services.send_verification_link(request.user)
    except NotFound:
        raise
    except Refusal as refusal:
        messages.warning(request, with_wait(refusal))
    else:
        messages.success(request, _("We have sent you a link."))
    return redirect("profile")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def verify_page(request: SignedInPageRequest) -> HttpResponse:
    """Confirms on POST only: virus scanners open the links of e-mails."""
    key = request.POST.get("key") or request.GET.get("key", "")
    is_post = request.method == "POST"
    try:
        act = services.verify_email if is_post else services.check_key
        act(user=request.user, key=key)
    except EmailLinkInvalid as refusal:
        context = {"refusal": str(refusal)}
        status = status_of(refusal)
        return render(request, "users/confirm_email.html", context, status=status)
    if not is_post:
        return render(request, "users/confirm_email.html", {"key": key})
    messages.success(request, _("Your e-mail has been confirmed."))
    return redirect("profile")
