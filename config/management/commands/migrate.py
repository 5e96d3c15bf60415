from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from psycopg2 import errorcodes  # type: ignore[import-untyped]  # ships no types


class Command(migrate.Command):
    """Django's own, but on PostgreSQL it does not wait long for a lock.

    While a migration waits, for example behind a dump, all queries that come after it
    wait as well, even reads.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-timeout",
            default="2s",
            help="How long to wait for a lock, as PostgreSQL writes it: 2s, 500ms, 0.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            super().handle(*args, **options)
            return
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = %s", [options["lock_timeout"]])
        try:
            super().handle(*args, **options)
        except OperationalError as error:
            state = getattr(error.__cause__, "pgcode", None)
            if state != errorcodes.LOCK_NOT_AVAILABLE:
                raise
            raise CommandError(
                f"A table was locked for more than {options['lock_timeout']}, for"
                " example by a dump or a long transaction. The migration that waited"
                " was not applied. Run migrate again later."
            ) from error
        finally:
            # The pool may hand out this connection again, as it does in tests.
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")
