from dataclasses import astuple

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from config.admin.csv_export import csv_response
from users.statistics.dashboard import COUNTS, WINDOWS, dashboard
from users.statistics.last_days import DAYS

may_look = permission_required("users.view_dashboard", raise_exception=True)


@require_safe
@may_look
def dashboard_page(request: HttpRequest) -> HttpResponse:
    days = _days(request)
    context = {
        **admin.site.each_context(request),
        "title": _("Dashboard"),
        "dashboard": dashboard(days),
        "days": days,
        "windows": WINDOWS,
    }
    return TemplateResponse(request, "admin/users/dashboard.html", context)


@require_safe
@may_look
def dashboard_csv(request: HttpRequest) -> HttpResponseBase:
    """A GET, unlike other exports: it has counts only, nothing about people."""
    days = dashboard(_days(request)).days
    return csv_response("days", ["day", *COUNTS], map(astuple, days))


def _days(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return next((days for days in WINDOWS if str(days) == asked), DAYS)
