"""Each request waits for its turn, and is refused if that takes too long."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils import translation

from config.api.error_pages import bad_request, service_unavailable
from config.server.request_queue import Kind, note_success, slot
from config.server.web_worker import client_is_gone, request_was_read

logger = logging.getLogger(__name__)

ALIVE = "/healthz"  # asks neither PostgreSQL nor Redis
PRIORITY_PATHS = tuple(
    f"/{path}" for path in (*settings.PROBE_PATHS, *settings.STAFF_PATHS)
)
CLIENT_IS_GONE = 499  # nginx's number; only our log and our metrics see it


class RequestQueueMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == ALIVE:
            return self.get_response(request)
        try:
            read_body(request)
        except (UnreadablePostError, RequestDataTooBig) as error:
            with _language_of(request):
                return bad_request(request, error)
        sock = request.META.get("gunicorn.socket")
        if sock:
            request_was_read(sock)
        with slot(kind_of(request)) as is_in_time:
            if sock and client_is_gone(sock):
                return HttpResponse(status=CLIENT_IS_GONE)
            if not is_in_time:
                return refuse(request)
            response = self.get_response(request)
            if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                note_success()
            return response


def read_body(request: HttpRequest) -> None:
    """The client may be slow, so before its turn.

    A body that is too large is not read at all. Django itself would read the files of a
    form, however large, when the form is first looked at. `RequestBodyMiddleware` reads
    chunked bodies, and gives back the turn meanwhile. Raises UnreadablePostError and
    RequestDataTooBig.
    """
    is_chunked = "Transfer-Encoding" in request.headers
    if request.META.get("CONTENT_LENGTH") and not is_chunked:
        _ = request.body


def refuse(request: HttpRequest) -> HttpResponse:
    logger.warning("refused: more requests than can be served")
    with _language_of(request):
        return service_unavailable(request)


def _language_of(request: HttpRequest) -> translation.override:
    """The middleware that chooses the language comes later."""
    return translation.override(translation.get_language_from_request(request))


def kind_of(request: HttpRequest) -> Kind:
    if request.path_info.startswith(PRIORITY_PATHS):
        return Kind.STAFF
    return Kind.READ if request.method in {"GET", "HEAD"} else Kind.WRITE
