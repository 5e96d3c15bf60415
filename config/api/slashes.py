from django.http import HttpRequest
from django.middleware import common


class CommonMiddleware(common.CommonMiddleware):
    """Redirects to the address with a slash only where nothing gets lost.

    Clients follow such a redirect with a GET and without the body, so the sender of a
    form would see a page and believe that the form was received. It gets 404 instead.
    """

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        is_safe = request.method in {"GET", "HEAD"}
        return is_safe and super().should_redirect_with_slash(request)
