"""The two files by which Android and iOS let an app open the invite links.

https://developer.android.com/training/app-links
https://developer.apple.com/documentation/xcode/supporting-associated-domains
"""

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

_may_be_kept = cache_control(public=True, max_age=3600)


@require_safe
@_may_be_kept
def assetlinks(request: HttpRequest) -> JsonResponse:
    """The app itself names the paths, in its manifest."""
    if not settings.ANDROID_APP_LINKS:
        raise Http404
    statements = [
        {
            "relation": ["delegate_permission/common.handle_all_urls"],
            "target": {
                "namespace": "android_app",
                "package_name": package,
                "sha256_cert_fingerprints": fingerprints,
            },
        }
        for package, fingerprints in settings.ANDROID_APP_LINKS.items()
    ]
    return JsonResponse(statements, safe=False)


@require_safe
@_may_be_kept
def apple_app_site_association(request: HttpRequest) -> JsonResponse:
    if not settings.APPLE_APP_LINKS:
        raise Http404
    # Also links that somebody has typed without the slash at the end.
    invite_links = reverse("invite", args=["*"]).removesuffix("/")
    details = {"appIDs": settings.APPLE_APP_LINKS, "components": [{"/": invite_links}]}
    return JsonResponse({"applinks": {"details": [details]}})
