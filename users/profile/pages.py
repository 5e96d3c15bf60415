from copy import copy
from typing import Any

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
from referrals.forms import InviteCodeForm
from referrals.models import Referral
from referrals.pagination import ReferralPagination, count_of
from referrals.statistics.charts import bar_chart
from users.exceptions import StaffAccountProtected
from users.profile import services
from users.profile.forms import DeleteAccountForm, ProfileForm
from users.qr_codes import qr_code
from users.requests import SignedInPageRequest

CHART_DAYS = 30


@login_required
@require_safe
def profile_page(request: SignedInPageRequest) -> HttpResponse:
    user = request.user
    pagination = ReferralPagination()
    referrals = Referral.objects.of_inviter(user.pk).with_count(user.pk)
    rows: Any = pagination.paginate_queryset(referrals, Request(request))
    invite_link = request.build_absolute_uri(reverse("invite", args=[user.invite_code]))
    context = {
        "invite_link": invite_link,
        "qr_code": qr_code(invite_link),
        "invite_code_form": InviteCodeForm(),
        "referrals": rows,
        "referrals_count": count_of(rows),
        "newer_url": pagination.get_previous_link(),
        "older_url": pagination.get_next_link(),
        "chart": bar_chart(Referral.objects.per_day(user.pk, days=CHART_DAYS)),
        "chart_days": CHART_DAYS,
    }
    return render(request, "users/profile.html", context)


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
    services.update_profile(request.user, **form.cleaned_data)
    messages.success(request, _("Saved."))
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
