"""One shared instance of a serializer, for the requests that come most often.

DRF copies all declared fields for each new instance, a twelfth of the CPU of a sign-in.
Sharing is safe only if no field keeps state. DRF's texts about a length do, ours do not
(`TextField`). There is no request in the context.
"""

from functools import cache
from typing import Any

from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.serializers import Serializer
from rest_framework.settings import api_settings


@cache
def shared(serializer_class: type[Serializer[Any]]) -> Serializer[Any]:
    return serializer_class()


def read(serializer_class: type[Serializer[Any]], data: Any) -> Any:
    """The validated data of a request body. Raises ValidationError."""
    if data is None:  # as `Serializer.errors` describes it
        error = ErrorDetail("No data provided", code="null")
        raise ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [error]})
    return shared(serializer_class).run_validation(data)


def represent(serializer_class: type[Serializer[Any]], instance: Any) -> dict[str, Any]:
    data: dict[str, Any] = shared(serializer_class).to_representation(instance)
    return data
