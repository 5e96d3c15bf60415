from django.db import InterfaceError, OperationalError
from redis.exceptions import RedisError


def is_outage(error: BaseException | None) -> bool:
    """Whether the error says that PostgreSQL or Redis does not answer."""
    return isinstance(error, (OperationalError, InterfaceError, RedisError))
