from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class NoStoreMiddleware:
    """No browser or proxy keeps an answer, unless the answer says that it may.

    Static files, the API schema and the icon's address say so. All else may be about a
    person: an answer of the API, the page for the code, any page of somebody who is
    signed in.

    An answer that sets cookies is never kept: a shared cache would give somebody's
    session to others.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        if response.cookies:
            response.headers["Cache-Control"] = "no-store"
        return response
