from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import include, path, re_path
from django.views.decorators.cache import cache_control
from django.views.generic import TemplateView

from config import app_links
from config.api.documentation import RedocView, SchemaView, SwaggerView
from config.api.error_pages import NoSuchEndpoint
from config.monitoring.health import HealthView, ReadinessView
from config.monitoring.metrics_view import MetricsView

# ReDoc and Swagger UI write their styles into the page; ReDoc searches in a worker.
documentation_csp = csp_update(
    {"style-src": [SELF, UNSAFE_INLINE], "worker-src": [SELF, "blob:"]}
)
redoc = documentation_csp(RedocView.as_view())
swagger = documentation_csp(SwaggerView.as_view())


@cache_control(public=True, max_age=24 * 3600)
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it where a page, such as the admin site's, names no icon."""
    return redirect(static("icon.svg"))


robots = TemplateView.as_view(
    template_name="robots.txt", content_type="text/plain; charset=utf-8"
)

urlpatterns = [
    path("", TemplateView.as_view(template_name="front.html"), name="front"),
    path("", include("users.page_urls")),
    path("", include("referrals.page_urls")),
    path("language/", include("django.conf.urls.i18n")),
    path("api/", include("users.urls")),
    path("api/", include("referrals.urls")),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    re_path(r"^api/", NoSuchEndpoint.as_view()),
    path("redoc/", redoc, name="redoc"),
    path("swagger/", swagger, name="swagger"),
    path("favicon.ico", favicon, name="favicon"),
    path("robots.txt", robots, name="robots"),
    path(".well-known/assetlinks.json", app_links.assetlinks, name="assetlinks"),
    path(
        ".well-known/apple-app-site-association",
        app_links.apple_app_site_association,
        name="apple-app-site-association",
    ),
    path("healthz", HealthView.as_view(), name="healthz"),
    path("readyz", ReadinessView.as_view(), name="readyz"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("admin/", admin.site.urls),
]

handler400 = "config.api.error_pages.bad_request"
handler403 = "config.api.error_pages.permission_denied"
handler404 = "config.api.error_pages.page_not_found"
handler500 = "config.api.error_pages.server_error"
