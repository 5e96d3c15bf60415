"""Serializers that are made once, for the requests that come most often.

DRF copies every declared field whenever a serializer is made: a twelfth of the CPU of a
sign-in. Reading a body and writing an answer change nothing in a serializer, so all
requests can share one. It has no context, and so cannot know the request.
"""

from functools import cache
from typing import Any

from rest_framework.serializers import Serializer

_made = cache(lambda kind: kind())


def read(kind: type[Serializer[Any]], data: Any) -> Any:
    """The validated data of a body. Raises ValidationError."""
    return _made(kind).run_validation(data)


def represent(kind: type[Serializer[Any]], instance: Any) -> dict[str, Any]:
    data: dict[str, Any] = _made(kind).to_representation(instance)
    return data
