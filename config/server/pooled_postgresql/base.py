from typing import Any

from dj_db_conn_pool.backends.postgresql import (  # type: ignore[import-untyped]  # no types
    base,
)
from psycopg2 import OperationalError  # type: ignore[import-untyped]  # no types
from sqlalchemy.exc import TimeoutError as NoFreeConnection


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]  # as above
    """A pool in which no connection gets free is an outage like any other."""

    def get_new_connection(self, conn_params: Any) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except NoFreeConnection:
            raise OperationalError("no connection of the pool is free") from None
