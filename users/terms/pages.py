from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from config.refusals import Refusal
from users.requests import SignedInPageRequest
from users.terms import services


@login_required
@require_POST
def accept_page(request: SignedInPageRequest) -> HttpResponse:
    try:
        services.accept_terms(
            user=request.user, version=request.POST.get("terms_version", "")
        )
    except Refusal as refusal:  # an old page: the profile shows what is current
        messages.warning(request, str(refusal))
    else:
        messages.success(request, _("You have accepted the terms."))
    return redirect("profile")
