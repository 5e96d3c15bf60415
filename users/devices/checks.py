from typing import Any

from django.core.checks import CheckMessage, Error, register

from users.devices import jwt_keys


@register()
def keys_of_jwts_can_be_read(**kwargs: Any) -> list[CheckMessage]:
    try:
        jwt_keys.for_access_tokens()
    except jwt_keys.BadKey as error:
        return [Error(str(error), id="config.E050")]
    return []
