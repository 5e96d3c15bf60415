from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import TemplateView
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerView,
)

from config.error_pages import NoSuchEndpoint
from config.health import HealthView, ReadinessView
from referrals.pages import InvitePage

urlpatterns = [
    path("", TemplateView.as_view(template_name="front.html"), name="front"),
    path("i/<str:code>/", InvitePage.as_view(), name="invite"),
    path("api/", include("users.urls")),
    path("api/", include("referrals.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    re_path(r"^api/", NoSuchEndpoint.as_view()),
    path("redoc/", SpectacularRedocView.as_view(), name="redoc"),
    path("swagger/", SpectacularSwaggerView.as_view(), name="swagger"),
    path("healthz", HealthView.as_view(), name="healthz"),
    path("readyz", ReadinessView.as_view(), name="readyz"),
    path("admin/", admin.site.urls),
]

handler400 = "config.error_pages.bad_request"
handler403 = "config.error_pages.permission_denied"
handler404 = "config.error_pages.page_not_found"
handler500 = "config.error_pages.server_error"
