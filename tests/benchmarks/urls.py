from django.urls import include, path

from config.urls import handler400, handler403, handler404, handler500
from tests.benchmarks.views import BareView

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path("bare/", BareView.as_view(), name="bare"),
    path("", include("config.urls")),
]
