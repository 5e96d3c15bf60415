"""The schema says of every operation how it can refuse, as the refusals themselves say.

A view method lists its own with `@refuses(CodeIncorrect, …)`; what every endpoint can
answer (401, 406, 415, …) comes from drf-standardized-errors.
"""

from collections import ChainMap, defaultdict
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any, TypeVar

from django.conf import settings
from django.utils.translation import get_language
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema as SpectacularAutoSchema
from drf_spectacular.utils import OpenApiExample
from drf_standardized_errors.openapi import AutoSchema as StandardizedAutoSchema
from rest_framework import exceptions, serializers

from config.api.error_handling import ErrorFormatter, RefusalAnswer, status_of
from config.refusals import Refusal, RequestTooLarge, ServiceUnavailable

Method = TypeVar("Method", bound=Callable[..., Any])
Refusals = tuple[type[Refusal], ...]
FIELD_OF_FACT: dict[type, type[serializers.Field[Any, Any, Any, Any]]] = {
    int: serializers.IntegerField,
    str: serializers.CharField,
    dict: serializers.DictField,
}


def refuses(*refusals: type[Refusal]) -> Callable[[Method], Method]:
    """Name the refusals that an API method can answer with, for the schema."""

    def mark(method: Method) -> Method:
        method.refusals = refusals  # type: ignore[attr-defined]  # read by AutoSchema
        return method

    return mark


def describe_in_the_reader_s_language(result: Any, **kwargs: Any) -> Any:
    language = "ru" if get_language() == "ru" else "en"
    text = settings.BASE_DIR / "config" / "api" / f"introduction.{language}.md"
    result["info"]["description"] = text.read_text(encoding="utf-8")
    return result


class MetricsTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "config.monitoring.metrics_view.MetricsTokenAuthentication"
    name = "metricsToken"

    def get_security_definition(self, auto_schema: SpectacularAutoSchema) -> Any:
        return {"type": "http", "scheme": "bearer", "description": "`METRICS_TOKEN`."}


class AutoSchema(StandardizedAutoSchema):
    def get_tags(self) -> list[str]:
        # The default is the path's first part, and "api" would say nothing.
        return getattr(self.view, "schema_tags", ["Service"])

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for code, body in bodies.items():
            body["description"] = body["description"] or HTTPStatus(int(code)).phrase
        return dict(sorted(bodies.items()))

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
        added: bool = super()._should_add_http401_error_response()
        return added or bool(self._refusals_with("401"))

    def _should_add_http403_error_response(self) -> bool:
        added: bool = super()._should_add_http403_error_response()
        return added or bool(self._refusals_with("403"))

    def _get_extra_validation_errors(self) -> dict[str, set[str]]:
        extra = defaultdict(set, super()._get_extra_validation_errors())
        for refusal in self._refusals_with("400"):
            extra[refusal.attr or "non_field_errors"].add(refusal.code)
        return dict(extra)

    def _get_error_response_serializer(self, status_code: str) -> Any:
        refusals = self._refusals_with(status_code)
        if refusals and status_code != "400":
            return _response_serializer(refusals)
        return super()._get_error_response_serializer(status_code)


@cache
def _response_serializer(refusals: Refusals) -> type[serializers.Serializer[Any]]:
    """The error shape of refusals with one status: their codes, their members."""
    status_code = status_of(refusals[0])
    attrs = {refusal.attr for refusal in refusals}
    name = "".join(refusal.__name__ for refusal in refusals)
    members: dict[str, Any] = {
        "code": serializers.ChoiceField(sorted({r.code for r in refusals})),
        "detail": serializers.CharField(),
        "attr": serializers.CharField(allow_null=None in attrs),
    }
    facts = [dict(refusal.sample().facts) for refusal in refusals]
    for key, value in ChainMap(*facts).items():
        field = FIELD_OF_FACT[type(value)]
        members[key] = field(required=all(key in some for some in facts))
    error = _serializer(f"{name}Item", members)
    kind = "server_error" if status_code >= 500 else "client_error"
    return _serializer(
        name,
        {"type": serializers.ChoiceField([kind]), "errors": error(many=True)},
    )


def _serializer(name: str, fields: dict[str, Any]) -> type[serializers.Serializer[Any]]:
    # The suffix keeps drf-standardized-errors from making an enum of every choice.
    meta = type("Meta", (), {"ref_name": f"{name}ErrorComponent"})
    return type(name, (serializers.Serializer,), {**fields, "Meta": meta})


def _example(error: exceptions.APIException) -> OpenApiExample:
    context: Any = {"view": None, "args": (), "kwargs": {}, "request": None}
    named = error.refusal if isinstance(error, RefusalAnswer) else error
    return OpenApiExample(
        type(named).__name__,
        value=ErrorFormatter(error, context, error).run(),
        response_only=True,
        status_codes=[str(error.status_code)],
    )
