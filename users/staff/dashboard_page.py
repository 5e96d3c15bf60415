from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from users.statistics.dashboard import dashboard


@require_safe
@permission_required("users.view_dashboard", raise_exception=True)
def dashboard_page(request: HttpRequest) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": _("Dashboard"),
        "dashboard": dashboard(),
    }
    return TemplateResponse(request, "admin/users/dashboard.html", context)
