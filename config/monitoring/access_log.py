"""Each request is counted, and leaves a line in the log that says what and how long."""

import logging
from collections.abc import Callable
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.monitoring.metrics import count_request, known_method

logger = logging.getLogger("access")


class AccessMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        start = perf_counter()
        response = self.get_response(request)
        seconds = perf_counter() - start
        method, status = request.method or "", response.status_code
        # A path, a query or a method may hold anything; a route is one of ours.
        match = request.resolver_match
        route = match.route if match else "-"
        count_request(method=method, route=route, status=status, seconds=seconds)
        is_routine = route in settings.PROBE_PATHS or request.path.startswith(
            settings.STATIC_URL
        )
        if settings.ACCESS_LOG and (status >= 400 or not is_routine):
            facts = {
                "method": known_method(method),
                "route": route,
                "status": status,
                "ms": round(seconds * 1000, 1),
            }
            logger.info("request", extra={"facts": facts})
        return response
