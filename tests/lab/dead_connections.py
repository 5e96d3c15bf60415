import psycopg2  # type: ignore[import-untyped]  # ships no types
from django.db import connection


def terminate(process: int) -> None:
    """End the server's process of a connection, from another connection."""
    parameters = connection.get_connection_params()
    del parameters["cursor_factory"]
    other = psycopg2.connect(**parameters)
    other.autocommit = True
    with other.cursor() as cursor:
        # Waits up to five seconds for its end.
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
        assert cursor.fetchone() == (True,)
    other.close()
