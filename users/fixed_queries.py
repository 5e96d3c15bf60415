"""Queries whose SQL is made once: the device of a token, the account of a sign-in.

The ORM takes longer to make such SQL each time than PostgreSQL takes to run it.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.db import connections, models

from referrals.models import Referral
from users.models import User


class FixedQuery:
    """Reads one row of each model. `tail`: the SQL from FROM on, with %s for values."""

    def __init__(self, rows: Sequence[type[models.Model]], tail: str) -> None:
        self.models = rows
        self._tail = tail
        self._converters: dict[str, list[tuple[int, Any]]] = {}

    def first(self, values: Sequence[Any], *, using: str) -> list[Any] | None:
        """One object of each model, or None if there is no row.

        If a LEFT JOIN has found nothing, the primary key of its object is None. Pass
        datetimes through `adapt_datetimefield_value`.
        """
        with connections[using].cursor() as cursor:
            cursor.execute(self._sql, values)
            row = cursor.fetchone()
        if row is None:
            return None
        left = list(row)
        for position, convert in self._conversions(using):
            left[position] = convert(left[position], None, connections[using])
        found = []
        for model in self.models:
            number = len(model._meta.concrete_fields)
            found.append(model.from_db(using, [], left[:number]))
            left = left[number:]
        return found

    @cached_property
    def _fields(self) -> list[Any]:
        return [field for model in self.models for field in model._meta.concrete_fields]

    @cached_property
    def _sql(self) -> str:
        columns = [f"{f.model._meta.db_table}.{f.column}" for f in self._fields]
        return f"SELECT {', '.join(columns)} {self._tail}"

    def _conversions(self, using: str) -> list[tuple[int, Any]]:
        """What the ORM does to values, by position; nothing on PostgreSQL."""
        if using not in self._converters:
            database = connections[using]
            columns = [field.get_col("") for field in self._fields]
            self._converters[using] = [
                (position, convert)
                for position, column in enumerate(columns)
                for convert in (
                    *database.ops.get_db_converters(column),
                    *column.get_db_converters(database),
                )
            ]
        return self._converters[using]


def with_activation(user: User, activation: Referral) -> User:
    """Attach the activation that was read, so that `user.activation` needs no query."""
    if activation.pk is None:  # the person has activated no invite code
        User._meta.get_field("activation").set_cached_value(user, None)
    else:
        activation.invitee = user  # and user.activation
    return user
