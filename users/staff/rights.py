"""What people and groups may do, and the record of how that changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest

from config.monitoring import audit
from users.models import User

Rights = frozenset[str]
NONE: Rights = frozenset()


def rights_of(who: User | Group) -> Rights:
    """As they are stored, such as `staff`, `group:Support`, `users.view_user`."""
    if isinstance(who, Group):
        return _permissions(who.permissions)
    person = User.objects.get(pk=who.pk)
    flags = {
        "staff": person.is_staff,
        "superuser": person.is_superuser,
        "password": person.has_usable_password(),
    }
    groups = person.groups.values_list("name", flat=True)
    return frozenset(
        {
            *(name for name, is_set in flags.items() if is_set),
            *(f"group:{name}" for name in groups),
            *_permissions(person.user_permissions),
        }
    )


@contextmanager
def recorded_change(who: User | Group) -> Iterator[None]:
    before = rights_of(who)
    yield
    record_change(who, before, rights_of(who))


def record_change(who: User | Group, before: Rights, after: Rights) -> None:
    if before == after:
        return
    facts: dict[str, Any] = {
        "group" if isinstance(who, Group) else "user": who.pk,
        "added": ", ".join(sorted(after - before)),
        "removed": ", ".join(sorted(before - after)),
    }
    transaction.on_commit(partial(audit.record, "rights.changed", **facts))


class RecordsRights:
    """For an admin class of people or groups: records what a form changed."""

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        # On the page for adding people, the form creates `obj` and does not know it.
        form.changed, form.rights_before = obj, rights_of(obj) if change else NONE
        super().save_model(request, obj, form, change)  # type: ignore[misc]  # a mixin

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        record_change(form.changed, form.rights_before, rights_of(form.changed))


def _permissions(permissions: Any) -> Rights:
    rows = permissions.values_list("content_type__app_label", "codename")
    return frozenset(f"{app}.{name}" for app, name in rows)
