from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from django.contrib.auth.base_user import AbstractBaseUser
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from referrals.models import Referral


class ReferralPagination(CursorPagination):
    page_size = 50
    ordering = ("-created_at", "-invitee_id")

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        if (
            cursor
            and cursor.position is not None
            and not _is_time(str(cursor.position))
        ):
            # DRF would hand any text on to the database and answer 500.
            raise NotFound(self.invalid_cursor_message)
        return cursor


@dataclass(frozen=True, slots=True)
class FirstReferrals:
    """The newest page as part of another answer, and where the list goes on."""

    rows: Sequence[Referral]
    total: int
    next_url: str | None


def first_referrals(inviter: AbstractBaseUser, request: Request) -> FirstReferrals:
    pagination = _FirstPage()
    referrals = Referral.objects.of_inviter(inviter.pk)
    rows = pagination.paginate_queryset(referrals, request) or []
    pagination.base_url = request.build_absolute_uri(reverse("referrals:list"))
    return FirstReferrals(rows, referrals.count(), pagination.get_next_link())


class _FirstPage(ReferralPagination):
    def decode_cursor(self, request: Request) -> Cursor | None:
        return None


def _is_time(text: str) -> bool:
    try:
        moment = parse_datetime(text)
        return moment is not None and bool(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        return False
