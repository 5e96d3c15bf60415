"""Where a sign-in leads to: `next` in the form or in the query."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

# Longer than any address of this site. It has to fit into a cookie.
MAX_LENGTH = 500


def sent_next_url(request: HttpRequest) -> str:
    """Empty if it is no path of this site.

    `url_has_allowed_host_and_scheme` allows a relative URL such as "profile-delete",
    too, which `redirect` would take for the name of a view.
    """
    url = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return url if is_ours and url.startswith("/") and len(url) <= MAX_LENGTH else ""
