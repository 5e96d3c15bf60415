"""Where a sign-in leads to: `next` in the form or in the query."""

from django.http import HttpRequest
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme

# Longer than any address of this site. It has to fit into a cookie.
MAX_NEXT_URL_LENGTH = 500


def sent_next_url(request: HttpRequest) -> str:
    """The path, percent-encoded; empty if it is no path of this site.

    Other letters would be longer in JSON, and the cookie too large.

    `url_has_allowed_host_and_scheme` allows a relative URL such as "profile-delete",
    too, which `redirect` would take for the name of a view.
    """
    url = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    if not is_ours or not url.startswith("/"):
        return ""
    ascii_url = iri_to_uri(url)
    return ascii_url if len(ascii_url) <= MAX_NEXT_URL_LENGTH else ""
