from typing import Any

from dj_db_conn_pool.backends.postgresql import (  # type: ignore[import-untyped]  # no types
    base,
)
from psycopg2 import OperationalError  # type: ignore[import-untyped]  # no types
from sqlalchemy.exc import TimeoutError as NoFreeConnection


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]  # as above
    class SQLAlchemyDialect(base.DatabaseWrapper.SQLAlchemyDialect):  # type: ignore[misc]  # as above
        def do_ping(self, dbapi_connection: Any) -> bool:
            """False: the pool drops its connections and connects anew.

            The pool asks before it hands out a kept connection. A server that takes no
            writes any more may have been replaced by another. PostgreSQL 14 and newer
            tell their state with each answer, so this costs no further query.
            """
            answers: bool = super().do_ping(dbapi_connection)
            state = dbapi_connection.info.parameter_status
            return answers and "on" not in (
                state("in_hot_standby"),
                state("default_transaction_read_only"),
            )

    def get_new_connection(self, conn_params: Any) -> Any:
        """Raises OperationalError, as in any outage, if no connection gets free."""
        try:
            return super().get_new_connection(conn_params)
        except NoFreeConnection:
            raise OperationalError("no connection of the pool is free") from None
