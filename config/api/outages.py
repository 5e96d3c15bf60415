from django.db import InterfaceError, InternalError, OperationalError

from config.server.redis_pool import REDIS_FAILS

READ_ONLY = "25006"  # SQLSTATE read_only_sql_transaction: a standby, for example


def is_outage(error: BaseException | None) -> bool:
    """Whether PostgreSQL or Redis does not answer, or does not take writes."""
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "pgcode", None) == READ_ONLY
    outages = (OperationalError, InterfaceError, *REDIS_FAILS)
    return isinstance(error, outages)
