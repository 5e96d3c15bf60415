from copy import copy
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from rest_framework.request import Request

from config.api.error_handling import status_of
from config.public_url import public_url
from config.time_zones import in_zone_of_reader
from referrals.came_by import CameBy
from referrals.forms import InviteCodeForm
from referrals.models import Referral
from referrals.pagination import ReferralPagination, count_of
from referrals.statistics.charts import bar_chart
from users.exceptions import StaffAccountProtected
from users.profile import services
from users.profile.forms import DeleteAccountForm, ProfileForm
from users.profile.sharing import places, share_text
from users.qr_codes import qr_code, qr_code_png
from users.requests import SignedInPageRequest
from users.terms.services import terms_of

CHART_DAYS = 30
# People who came, before "show all".
FIRST_ROWS = 10


@login_required
@require_safe
@in_zone_of_reader
def profile_page(request: SignedInPageRequest) -> HttpResponse:
    user = request.user
    pagination = ReferralPagination()
    is_short = "all" not in request.GET
    if is_short:
        pagination.page_size = FIRST_ROWS
    referrals = Referral.objects.of_inviter(user.pk).with_count(user.pk)
    rows: Any = pagination.paginate_queryset(referrals, Request(request))
    invite_link = _invite_link(request)
    text = share_text(user.invite_code)
    context = {
        "invite_link": invite_link,
        "share_text": text,
        "places": places(invite_link, text),
        "qr_code": qr_code(_link_of_qr_code(request)),
        "invite_code_form": InviteCodeForm(),
        "referrals": rows,
        "referrals_count": count_of(rows),
        "has_more": is_short and pagination.has_next,
        "newer_url": None if is_short else pagination.get_previous_link(),
        "older_url": None if is_short else pagination.get_next_link(),
        "chart": bar_chart(Referral.objects.per_day(user.pk, days=CHART_DAYS)),
        "chart_days": CHART_DAYS,
        "terms": terms_of(user),
        "offers_data_export": settings.DATA_EXPORT,
        "can_verify_email": bool(settings.EMAIL_NOTICES and user.email),
    }
    return render(request, "users/profile.html", context)


@login_required
@require_safe
def qr_code_page(request: SignedInPageRequest) -> HttpResponse:
    """The QR code as a file, to print or to send."""
    response = HttpResponse(qr_code_png(_link_of_qr_code(request)), "image/png")
    name = f"invite-{request.user.invite_code}.png"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _invite_link(request: SignedInPageRequest) -> str:
    path = reverse("invite", args=[request.user.invite_code])
    return public_url(request, path)


def _link_of_qr_code(request: SignedInPageRequest) -> str:
    return f"{_invite_link(request)}?by={CameBy.QR_CODE}"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_page(request: SignedInPageRequest) -> HttpResponse:
    # A copy, because a form writes invalid values to its instance, too.
    user = copy(request.user)
    if request.method != "POST":
        form = ProfileForm(instance=user)
        return render(request, "users/edit.html", {"form": form})
    form = ProfileForm(request.POST, instance=user)
    if not form.is_valid():
        return render(request, "users/edit.html", {"form": form}, status=400)
    email_link_sent = services.update_profile(request.user, **form.cleaned_data)
    messages.success(request, _("Saved."))
    if email_link_sent is False:
        text = _("We cannot send a link to confirm your e-mail now. Try again later.")
        messages.warning(request, text)
    return redirect("profile")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_page(request: SignedInPageRequest) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = DeleteAccountForm(data, user=request.user)
    if data is None or not form.is_valid():
        status = 200 if data is None else 400
        return render(request, "users/delete.html", {"form": form}, status=status)
    try:
        services.delete_account(request.user)
    except StaffAccountProtected as refusal:
        form.add_error(None, str(refusal))
        status = status_of(refusal)
        return render(request, "users/delete.html", {"form": form}, status=status)
    logout(request)
    messages.success(request, _("Your account has been deleted."))
    return redirect("front")
