from django.urls import include, path

from benchmarks.views import BareView
from config.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path("bare/", BareView.as_view(), name="bare"),
    path("", include("config.urls")),
]
