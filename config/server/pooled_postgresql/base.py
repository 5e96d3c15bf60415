import select
from collections.abc import Callable
from typing import Any

from dj_db_conn_pool.backends.postgresql import (  # type: ignore[import-untyped]  # no types
    base,
)
from dj_db_conn_pool.core import (  # type: ignore[import-untyped]  # no types
    pool_container,
)
from django.db import Error
from psycopg2 import OperationalError  # type: ignore[import-untyped]  # no types
from psycopg2.errors import (  # type: ignore[import-untyped]  # no types
    ReadOnlySqlTransaction,
)
from psycopg2.extensions import (  # type: ignore[import-untyped]  # no types
    TRANSACTION_STATUS_IDLE,
)
from sqlalchemy.exc import TimeoutError as NoFreeConnection


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]  # as above
    class SQLAlchemyDialect(base.DatabaseWrapper.SQLAlchemyDialect):  # type: ignore[misc]  # as above
        def do_ping(self, dbapi_connection: Any) -> bool:
            """False: the pool drops its connections and connects anew.

            The pool calls this before it hands out a kept connection. It asks the
            server nothing: a query would cost each request as much as one of its own.
            """
            return not (
                dbapi_connection.closed
                or _has_unread(dbapi_connection)
                or _is_read_only(dbapi_connection)
            )

    connection: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(_repeat_if_dead)

    def get_new_connection(self, conn_params: Any) -> Any:
        """Raises OperationalError, as in any outage, if no connection gets free."""
        try:
            return super().get_new_connection(conn_params)
        except NoFreeConnection:
            raise OperationalError("no connection of the pool is free") from None

    def replace_connection(self, error: Exception) -> None:
        """Go on with another one. In a transaction, only before its first statement."""
        # Drops the kept ones, too: they may be as dead. The library does this after a
        # failed ping, and has no public name for it.
        pool_container.get(self.alias)._invalidate(self.connection, error)
        try:
            with self.wrap_database_errors:  # the driver's error becomes Django's
                self.connection = self.get_new_connection(self.get_connection_params())
        except Exception:
            self.close()  # or Django would roll back and reset the dead one
            raise
        self._set_autocommit(self.autocommit)
        self.init_connection_state()


def _repeat_if_dead(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
) -> Any:
    """Run a statement once more if its connection turns out to be dead.

    Only where the first try can have changed nothing: a read, or the first statement of
    a transaction, which was not committed.
    """
    database, cursor = context["connection"], context["cursor"]
    connection = database.connection
    has_begun = connection.info.transaction_status != TRANSACTION_STATUS_IDLE
    try:
        return execute(sql, params, many, context)
    except Error as error:
        # In autocommit mode a statement is committed at once.
        is_harmless = not database.autocommit or str(sql).lstrip().startswith("SELECT")
        refused = isinstance(error.__cause__, ReadOnlySqlTransaction)
        is_dead = bool(connection.closed)
        if many or has_begun or not (refused or (is_dead and is_harmless)):
            raise
        database.replace_connection(error)
    cursor.cursor = database.create_cursor(cursor.cursor.name)
    return execute(sql, params, many, context)


def _has_unread(connection: Any) -> bool:
    """An idle server says nothing, except that it closes the connection."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _is_read_only(connection: Any) -> bool:
    """Whether the server has become a standby; another one may have taken over.

    PostgreSQL 14 and newer tell it with their answers.
    """
    state = connection.info.parameter_status
    return "on" in (state("in_hot_standby"), state("default_transaction_read_only"))
