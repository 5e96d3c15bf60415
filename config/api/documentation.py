"""/api/schema/, and the two pages that show it.

To build the schema takes more than 0.1 s of CPU, and everybody may ask for it. So each
process builds it once a language and format. Code does not change in a running process,
so what is kept cannot become stale.
"""

import gzip
import hashlib
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import translation
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views import View
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from config.negotiation import IgnoreAcceptHeader

MAX_AGE_SECONDS = 300
_RENDERERS: dict[str, Any] = {"yaml": OpenApiYamlRenderer, "json": OpenApiJsonRenderer}
# Requests that come together while nothing is built yet wait for one build.
_building = threading.Lock()


@dataclass(frozen=True, slots=True)
class Document:
    plain: bytes
    packed: bytes
    etag: str


class SchemaView(SpectacularAPIView):
    def handle_exception(self, exc: Exception) -> Any:
        """Errors are JSON, as those of all other endpoints, not YAML."""
        response = super().handle_exception(exc)
        renderer = JSONRenderer()
        self.request.accepted_renderer = renderer
        self.request.accepted_media_type = renderer.media_type
        return response

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        renderer = request.accepted_renderer
        with _building:
            document = _document(_language(request), renderer.format)
        is_packed = "gzip" in request.headers.get("Accept-Encoding", "")
        charset = f"; charset={renderer.charset}" if renderer.charset else ""
        name = f"{settings.SPECTACULAR_SETTINGS['TITLE']}.{renderer.format}"
        answer = HttpResponse(
            document.packed if is_packed else document.plain,
            content_type=renderer.media_type + charset,
            headers={
                "Cache-Control": f"public, max-age={MAX_AGE_SECONDS}",
                "Content-Disposition": f'inline; filename="{name}"',
                "ETag": document.etag,
                **({"Content-Encoding": "gzip"} if is_packed else {}),
            },
        )
        # A cookie may choose the language.
        patch_vary_headers(answer, ["Accept-Encoding", "Accept-Language", "Cookie"])
        return get_conditional_response(request, document.etag, response=answer)


class _Page(APIView):
    """A page for people: what Accept says does not matter.

    DRF would render the answer to OPTIONS with the page's template.
    """

    content_negotiation_class = IgnoreAcceptHeader

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        # Empty: PageErrorMiddleware turns it into an error page.
        return View.http_method_not_allowed(self, request)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return View.options(self, request)


class RedocView(_Page, SpectacularRedocView):
    pass


class SwaggerView(_Page, SpectacularSwaggerSplitView):
    pass


def _language(request: Request) -> str:
    wanted = request.GET.get("lang") or translation.get_language()
    try:
        return translation.get_supported_language_variant(wanted or "")
    except LookupError:
        return settings.LANGUAGE_CODE


@cache
def _document(language: str, format_: str) -> Document:
    generator: Any = SchemaGenerator
    with translation.override(language):
        schema = generator().get_schema(request=None, public=True)
        plain: bytes = _RENDERERS[format_]().render(schema)
    # Weak, because the packed and the plain bytes are the same document.
    etag = f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"'
    return Document(plain, gzip.compress(plain, mtime=0), etag)
