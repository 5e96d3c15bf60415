"""Fills the database of a benchmark with users, devices and referrals, with COPY."""

import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.utils import timezone
from tqdm import tqdm

from referrals.models import Referral
from tests.benchmarks import people
from users.models import Device, User

CHUNK = 20_000
STARTED = datetime(2025, 1, 1, tzinfo=UTC)
Row = tuple[object, ...]


class Command(BaseCommand):
    help = "Fill an empty database with users. Does nothing if it is filled already."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--users", type=int, required=True)

    def handle(self, *args: Any, users: int, **options: Any) -> None:
        # The superuser is written last, in the same transaction as everything else.
        if User.objects.filter(phone_number=people.STAFF_PHONE_NUMBER).exists():
            return
        with transaction.atomic():
            numbers = range(1, users + 1)
            copy(User, USER_COLUMNS, map(user_row, numbers), users)
            copy(Device, TOKEN_COLUMNS, map(token_row, numbers), users)
            rows = (referral_row(*pair, users) for pair in people.referrals(users))
            copy(
                Referral,
                REFERRAL_COLUMNS,
                rows,
                sum(1 for _ in people.referrals(users)),
            )
            count_on(User, Device)
            User.objects.create_superuser(
                people.STAFF_PHONE_NUMBER, people.STAFF_PASSWORD
            )
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


USER_COLUMNS = [
    *("id", "phone_number", "invite_code", "first_name", "last_name", "email"),
    *("password", "is_active", "is_staff", "is_superuser", "date_joined", "last_login"),
    "known_devices_key",
]
TOKEN_COLUMNS = [
    *("id", "digest", "user_id", "device", "is_for_staff"),
    *("created_at", "last_used_at", "expires_at"),
]
REFERRAL_COLUMNS = ["invitee_id", "inviter_id", "code_used", "created_at"]


def user_row(person: int) -> Row:
    first, last = people.names(person)
    joined = STARTED + timedelta(seconds=person)
    number, code = people.phone_number(person), people.invite_code(person)
    unusable = f"!{person:040}"
    flags = ("t", "f", "f")
    dates, key = (joined, joined), UUID(int=person)
    return person, number, code, first, last, "", unusable, *flags, *dates, key


def token_row(person: int) -> Row:
    # Used today, so that no request has to update it.
    now = timezone.now()
    times = (now, now, now + timedelta(days=settings.TOKEN_IDLE_DAYS))
    return person, people.token_digest(person), person, "App/1.0", "f", *times


def referral_row(invitee: int, inviter: int, users: int) -> Row:
    moment = STARTED + timedelta(seconds=invitee)
    return invitee, inviter, people.invite_code(inviter), moment


def copy(
    model: type[models.Model], columns: list[str], rows: Iterable[Row], total: int
) -> None:
    table = model._meta.db_table
    command = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    name = str(model._meta.verbose_name_plural)
    with connection.cursor() as cursor, tqdm(total=total, desc=name, unit="") as bar:
        for chunk in chunks(rows):
            lines = ("\t".join(map(str, row)) for row in chunk)
            cursor.copy_expert(command, io.StringIO("\n".join(lines)))
            bar.update(len(chunk))


def chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk


def count_on(*tables: type[models.Model]) -> None:
    """COPY wrote the ids itself, so let the sequences continue after them."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(tables)):
            cursor.execute(statement)
