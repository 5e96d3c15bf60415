from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters

from referrals.invite_codes import normalize_invite_code
from users.models import User
from users.phones import NotAPhoneNumber, normalize_phone_number

MAX_ID = 2**63 - 1


class FlagField(forms.NullBooleanField):
    widget = forms.TextInput
    default_error_messages = {"invalid": _("Send true or false.")}

    def to_python(  # type: ignore[override]  # django-stubs forget the None
        self, value: Any
    ) -> bool | None:
        if value in self.empty_values:
            return None
        if value not in {"true", "false"}:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return bool(value == "true")


class FlagFilter(filters.BooleanFilter):
    """Refuses other words. django-filter's own field would ignore the filter."""

    field_class = FlagField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput, **kwargs)


class IdFilter(filters.NumberFilter):
    field_class = forms.IntegerField  # type: ignore[assignment]  # no fractions


class PersonFilter(filters.FilterSet):
    """Each filter uses an index: none searches for a part of a number."""

    search = filters.CharFilter(
        method="find",
        help_text=_("A whole phone number or an invite code, in any format."),
    )
    is_active = FlagFilter(help_text=_("Whether the account is open."))
    is_staff = FlagFilter(help_text=_("Whether they are staff."))
    joined_after = filters.DateFilter(
        method="join_from", help_text=_("Joined on this day (UTC) or later.")
    )
    joined_before = filters.DateFilter(
        method="join_until", help_text=_("Joined before this day (UTC).")
    )
    has_activated = FlagFilter(
        field_name="activation",
        lookup_expr="isnull",
        exclude=True,
        help_text=_("Whether they have activated an invite code."),
    )
    inviter = IdFilter(
        field_name="activation__inviter__id",
        min_value=1,
        max_value=MAX_ID,
        help_text=_("The id of the person who invited them."),
    )

    def find(self, people: QuerySet[User], name: str, text: str) -> QuerySet[User]:
        found = Q(invite_code=normalize_invite_code(text) or "")
        with suppress(NotAPhoneNumber):
            found |= Q(phone_number=normalize_phone_number(text))
        return people.filter(found)

    def join_from(self, people: QuerySet[User], name: str, day: date) -> QuerySet[User]:
        return people.filter(date_joined__gte=_midnight(day))

    def join_until(
        self, people: QuerySet[User], name: str, day: date
    ) -> QuerySet[User]:
        return people.filter(date_joined__lt=_midnight(day))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
