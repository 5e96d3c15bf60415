"""Chunked bodies are made readable for views; compressed bodies are refused."""

from collections.abc import Callable
from io import BytesIO

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from gunicorn.http.errors import (  # type: ignore[import-untyped]  # ships no types
    ParseException,
)

from config.api.error_pages import bad_request, compressed_body, unknown_transfer_coding
from config.server.request_queue import slot_released
from config.server.web_worker import read_by_deadline, request_was_read


class RequestBodyMiddleware:
    """Reads a chunked body up to DATA_UPLOAD_MAX_MEMORY_SIZE, and refuses packed ones.

    Node's streams, .NET and some proxies send chunks, without a Content-Length. Django
    reads as many bytes as Content-Length says, so the body would be dropped without an
    error. The server has already decoded the chunks.

    A compressed body of a few bytes could unpack to gigabytes, so it is refused.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        packing = request.headers.get("Content-Encoding", "").strip().lower()
        transfer = request.headers.get("Transfer-Encoding", "").strip().lower()
        if transfer not in {"", "chunked"}:
            return unknown_transfer_coding(request)
        # nginx's auth_request passes on the headers of an upload without its body.
        has_body = transfer or request.META.get("CONTENT_LENGTH", "") not in {"", "0"}
        if has_body and packing not in {"", "identity"}:
            return compressed_body(request)
        if transfer:
            try:
                body = _read(request)
            except (BadRequest, RequestDataTooBig) as error:
                return bad_request(request, error)
            request.META["CONTENT_LENGTH"] = str(len(body))
            # Without a Content-Length, Django limited the stream to 0 bytes.
            request._stream = BytesIO(body)
        return self.get_response(request)


def _read(request: HttpRequest) -> bytes:
    """Raises BadRequest and RequestDataTooBig."""
    if request.META.get("CONTENT_LENGTH"):
        # A proxy may have read a different body: request smuggling.
        raise BadRequest("both Transfer-Encoding and Content-Length")
    limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    sock = request.META.get("gunicorn.socket")
    try:
        with slot_released():  # the client may be slow
            if sock:
                read_by_deadline(sock)
            body: bytes = request.META["wsgi.input"].read(limit + 1)
            if sock:
                request_was_read(sock)
    except (ParseException, OSError) as error:
        raise BadRequest("the chunks cannot be read") from error
    if len(body) > limit:
        raise RequestDataTooBig("the chunked body is too large")
    return body
