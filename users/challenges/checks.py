from typing import Any

from django.core.checks import CheckMessage, Error, register

from users.challenges import backend


@register()
def challenge_backend_is_there(**kwargs: Any) -> list[CheckMessage]:
    try:
        backend()
    except ImportError as error:
        return [Error(f"CHALLENGE_BACKEND: {error}.", id="config.E012")]
    return []
