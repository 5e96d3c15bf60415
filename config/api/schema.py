"""The schema says of every operation how it can refuse, as the refusals themselves say.

A view method lists its own with `@refuses(CodeIncorrect, …)`; what every endpoint can
answer (401, 406, 415, …) comes from drf-standardized-errors. All errors have one type,
`ErrorResponse`. The codes of an operation are in the descriptions and examples of its
answers, and for programs in `x-error-codes`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from django.conf import settings
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema as SpectacularAutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiExample
from drf_standardized_errors.openapi import AutoSchema as StandardizedAutoSchema
from rest_framework import exceptions, serializers
from rest_framework.pagination import CursorPagination

from config.api.error_handling import ErrorFormatter, RefusalAnswer, status_of
from config.refusals import Fact, Refusal, RequestTooLarge, ServiceUnavailable, Text

Method = TypeVar("Method", bound=Callable[..., Any])
Item = TypeVar("Item")
Refusals = tuple[type[Refusal], ...]

_named_refusals: set[type[Refusal]] = set()

MEANINGS: dict[str, Text] = {
    "200": _("Done"),
    "204": _("Done; the answer has no body"),
    "400": _("The request is wrong"),
    "401": _("Not signed in"),
    "403": _("Not allowed"),
    "404": _("Not found"),
    "406": _("No media type in `Accept` is available"),
    "409": _("Conflicts with what is stored"),
    "413": _("The request is too large"),
    "415": _("The body is not JSON"),
    "429": _("Too many requests"),
    "500": _("A server error"),
    "503": _("Not available right now"),
}
HEADERS: dict[str, tuple[str, Text]] = {
    "Retry-After": ("integer", _("Seconds after which to try again.")),
    "WWW-Authenticate": ("string", _("How to authenticate.")),
    "Cache-Control": ("string", _("`no-store`, unless the answer may be cached.")),
    "X-Request-ID": ("string", _("Names this request in the server's logs.")),
}


def refuses(*refusals: type[Refusal]) -> Callable[[Method], Method]:
    """Name the refusals that an API method can answer with, for the schema."""
    _named_refusals.update(refusals)

    def mark(method: Method) -> Method:
        method.refusals = refusals  # type: ignore[attr-defined]  # read by AutoSchema
        return method

    return mark


class ErrorSerializer(serializers.Serializer[Any]):
    """One error. Facts are members that only some codes have."""

    code = serializers.CharField(help_text=_("For programs. There may be new ones."))
    detail = serializers.CharField(help_text=_("For people, in their language."))
    attr = serializers.CharField(
        allow_null=True, help_text=_("The field with the error, where there is one.")
    )

    def get_fields(self) -> Any:
        return {**super().get_fields(), **_fact_fields()}


class ErrorResponseSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(["validation_error", "client_error", "server_error"])
    errors = ErrorSerializer(many=True)  # type: ignore[assignment]  # DRF moves it


def _fact_fields() -> dict[str, Any]:
    values: dict[str, set[str]] = defaultdict(set)
    fields: dict[str, Any] = {}
    for refusal in _named_refusals:
        for key, value in refusal.sample().facts.items():
            values[key].add(str(value))
            fields[key] = _field_like(value, key, refusal.fact_texts.get(key))
    if "limit" in fields:
        names = sorted(values["limit"] | set(settings.LIMITS))
        text = fields["limit"].help_text
        fields["limit"] = serializers.ChoiceField(names, required=False, help_text=text)
    return dict(sorted(fields.items()))


def _field_like(value: Fact, name: str, text: Text | None = None) -> Any:
    """A field that fits the sample. Only three members are in every error."""
    options: dict[str, Any] = {"required": False, "help_text": text}
    if isinstance(value, dict):
        members = {k: _field_like(v, name + k.capitalize()) for k, v in value.items()}
        title = name[0].upper() + name[1:]
        meta = type("Meta", (), {"ref_name": title})
        made = type(title, (serializers.Serializer,), {**members, "Meta": meta})
        return made(**options)
    if isinstance(value, int):
        return serializers.IntegerField(**options)
    return serializers.CharField(**options)


class MetricsTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "config.monitoring.metrics_view.MetricsTokenAuthentication"
    name = "metricsToken"

    def get_security_definition(self, auto_schema: SpectacularAutoSchema) -> Any:
        return {"type": "http", "scheme": "bearer", "description": "`METRICS_TOKEN`."}


class AutoSchema(StandardizedAutoSchema):
    def get_tags(self) -> list[str]:
        # The default is the path's first part, and "api" would say nothing.
        return getattr(self.view, "schema_tags", ["Service"])

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is not None:
            security = operation.get("security", [])
            # Client generators demand a token wherever a scheme is listed, and also
            # where one way to authenticate is "none".
            operation["security"] = [] if {} in security else _named(security)
        return operation

    def get_auth(self) -> Any:
        for permission in self.view.get_permissions():
            # A permission that needs a token of its own kind.
            if scheme := getattr(permission, "security_scheme", None):
                name, definition = scheme
                kind = ResolvedComponent.SECURITY_SCHEMA
                self.registry.register_on_missing(
                    ResolvedComponent(  # type: ignore[no-untyped-call]
                        name, kind, definition, object=type(permission)
                    )
                )
                return [{name: []}]
        return super().get_auth()

    def _get_paginator(self) -> Any:
        paginator = super()._get_paginator()  # type: ignore[no-untyped-call]
        if isinstance(paginator, CursorPagination):
            page_schema = partial(_page_schema, paginator, self.path)
            setattr(paginator, "get_paginated_response_schema", page_schema)  # noqa: B010
        return paginator

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for status_code, body in bodies.items():
            meaning = MEANINGS.get(status_code, HTTPStatus(int(status_code)).phrase)
            body["description"] = body["description"] or f"{meaning}."
            body["headers"] = {**_headers(status_code), **body.get("headers", {})}
            if _is_error(body):
                self._list_codes(status_code, body)
        return dict(sorted(bodies.items()))

    def _list_codes(self, status_code: str, body: dict[str, Any]) -> None:
        answers = body["content"]["application/json"]["examples"].values()
        errors = [error for answer in answers for error in answer["value"]["errors"]]
        own = [(error["code"], error["attr"]) for error in errors]
        of_fields = self._codes_of_fields() if status_code == "400" else []
        more = sorted({code for code, _ in of_fields} - {code for code, _ in own})
        meaning = body["description"].rstrip(".")
        body["description"] = f"{meaning}: {_listed(code for code, _ in own)}."
        if more:
            text = gettext("About a field: %(codes)s.") % {"codes": _listed(more)}
            body["description"] += f" {text}"
        body["x-error-codes"] = [
            {"code": code, "attr": attr} for code, attr in _unique([*own, *of_fields])
        ]

    def _codes_of_fields(self) -> list[tuple[str, str]]:
        """What is wrong with a value, such as `required`, and the field."""
        if not self._should_add_validation_error_response():
            return []
        codes: dict[str, set[str]] = self._get_validation_error_codes_by_field(
            self._determine_fields_with_error_codes()
        )
        return [(code, attr) for attr in sorted(codes) for code in sorted(codes[attr])]

    def _refusals(self) -> Refusals:
        handler = getattr(self.view, self.method.lower())
        own: Refusals = getattr(handler, "refusals", ())
        too_large: Refusals = (RequestTooLarge,) if self._takes_body() else ()
        outage: Refusals = getattr(self.view, "outage_refusals", (ServiceUnavailable,))
        return (*own, *too_large, *outage)

    def _refusals_with(self, status_code: str) -> Refusals:
        return tuple(r for r in self._refusals() if str(status_of(r)) == status_code)

    def _takes_body(self) -> bool:
        has_method = self.method in {"POST", "PUT", "PATCH"}
        return has_method and self.get_request_serializer() is not None

    # What follows answers drf-standardized-errors' questions about an operation.

    def _get_response_for_code(self, serializer: Any, *args: Any, **kwargs: Any) -> Any:
        # A view may name one of the library's error types as an answer.
        if "drf_standardized_errors" in getattr(serializer, "__module__", ""):
            serializer = ErrorResponseSerializer
        library: Any = super()
        return library._get_response_for_code(serializer, *args, **kwargs)

    def _get_error_response_serializer(self, status_code: str) -> Any:
        return ErrorResponseSerializer

    def _get_error_response_examples(self) -> list[OpenApiExample]:
        errors: list[exceptions.APIException] = [
            RefusalAnswer(refusal.sample()) for refusal in self._refusals()
        ]
        if self._takes_body():
            errors.append(exceptions.ParseError())
            errors.append(exceptions.UnsupportedMediaType("text/xml"))
        ours = [_example(error) for error in errors]
        covered = {str(error.status_code) for error in errors}
        generic: list[OpenApiExample] = super()._get_error_response_examples()
        return [
            *ours,
            *(e for e in generic if covered.isdisjoint(e.status_codes or ())),
        ]

    def _should_add_parse_error_response(self) -> bool:
        return self._takes_body()

    def _should_add_http415_error_response(self) -> bool:
        return self._takes_body()

    def _should_add_error_response(
        self, responses: dict[str, Any], status_code: str
    ) -> bool:
        if status_code in {"409", "413", "429", "503"}:
            return status_code not in responses and bool(
                self._refusals_with(status_code)
            )
        added: bool = super()._should_add_error_response(responses, status_code)
        return added

    def _should_add_http401_error_response(self) -> bool:
        # A wrong token is refused also where none is needed.
        return bool(self.view.get_authenticators() or self._refusals_with("401"))

    def _should_add_http403_error_response(self) -> bool:
        added: bool = super()._should_add_http403_error_response()
        return added or bool(self._refusals_with("403"))

    def _should_add_http404_error_response(self) -> bool:
        added: bool = super()._should_add_http404_error_response()
        return added or bool(self._refusals_with("404"))

    def _get_extra_validation_errors(self) -> dict[str, set[str]]:
        extra = defaultdict(set, super()._get_extra_validation_errors())
        for refusal in self._refusals_with("400"):
            extra[refusal.attr or "non_field_errors"].add(refusal.code)
        return dict(extra)


def _example(error: exceptions.APIException) -> OpenApiExample:
    context: Any = {"view": None, "args": (), "kwargs": {}, "request": None}
    named = error.refusal if isinstance(error, RefusalAnswer) else error
    return OpenApiExample(
        type(named).__name__,
        value=ErrorFormatter(error, context, error).run(),
        response_only=True,
        status_codes=[str(error.status_code)],
    )


def _named(security: Iterable[Any]) -> list[Any]:
    """`extend_schema(auth=["bearer"])` gives names, which OpenAPI does not read."""
    named = [{s: []} if isinstance(s, str) else s for s in security]
    return sorted(named, key=lambda scheme: "token" not in scheme)


def _page_schema(paginator: Any, path: str, rows: Any) -> Any:
    """DRF's own description of a page has addresses of another site as examples."""
    page = type(paginator).get_paginated_response_schema(paginator, rows)
    address = f"https://example.com{path}?{paginator.cursor_query_param}=cD0yMDI2"
    url = {"type": ["string", "null"], "format": "uri"}
    page["properties"] |= {
        "next": {**url, "description": _("The next page."), "example": address},
        "previous": {**url, "description": _("The one before."), "example": None},
    }
    return {**page, "required": list(page["properties"])}


def _is_error(body: Any) -> bool:
    schema = body.get("content", {}).get("application/json", {}).get("schema", {})
    return bool(schema.get("$ref") == "#/components/schemas/ErrorResponse")


def _unique(items: Iterable[Item]) -> list[Item]:
    return list(dict.fromkeys(items))


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(f"`{code}`" for code in _unique(codes))


def _headers(status_code: str) -> dict[str, Any]:
    names = ["X-Request-ID"]
    if status_code in {"429", "503"}:
        names.append("Retry-After")
    if status_code == "401":
        names.append("WWW-Authenticate")
    if status_code.startswith("2"):
        names.append("Cache-Control")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def finish(result: Any, **kwargs: Any) -> Any:
    """A hook of drf-spectacular: changes to the whole document."""
    language = "ru" if get_language() == "ru" else "en"
    text = settings.BASE_DIR / "config" / "api" / f"introduction.{language}.md"
    result["info"]["description"] = text.read_text(encoding="utf-8")
    components = result["components"]
    components["headers"] = {
        name: {"description": text, "required": True, "schema": {"type": type_}}
        for name, (type_, text) in HEADERS.items()
    }
    # Swagger offers them in this order, and a token is what most apps need.
    schemes = components["securitySchemes"]
    components["securitySchemes"] = {"token": schemes.pop("token"), **schemes}
    _allow_unknown_limits(components["schemas"]["Error"]["properties"])
    return result


def _allow_unknown_limits(properties: dict[str, Any]) -> None:
    """A client generated today must be able to read an error of tomorrow's limit."""
    limit = properties["limit"]
    known = {"$ref": "#/components/schemas/LimitEnum"}
    properties["limit"] = {
        "anyOf": [known, {"type": "string"}],
        "description": limit["description"],
    }
