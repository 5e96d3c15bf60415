from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class HeadMiddleware:
    """An answer to HEAD has the headers of GET and no body.

    gunicorn drops such a body as well, but logs a warning each time, and load balancers
    ask with HEAD every few seconds.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method == "HEAD" and not response.streaming:
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response
