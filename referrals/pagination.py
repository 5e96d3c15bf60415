from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser
from django.urls import reverse
from rest_framework.request import Request

from config.api.pagination import NewestFirstPagination
from config.public_url import public_url
from referrals.models import MOST_COUNTED, Referral, ReferralRow


class ReferralPagination(NewestFirstPagination):
    ordering = ("-created_at", "-invitee_id")


@dataclass(frozen=True, slots=True)
class ReferralCount:
    number: int
    is_exact: bool

    @classmethod
    def of(cls, bounded_count: int) -> ReferralCount:
        is_exact = bounded_count <= MOST_COUNTED
        return cls(min(bounded_count, MOST_COUNTED), is_exact=is_exact)

    def __str__(self) -> str:
        return str(self.number) if self.is_exact else f"{self.number}+"


@dataclass(frozen=True, slots=True)
class FirstReferrals:
    """The first page of referrals, inside another answer, and the URL of the second."""

    rows: Sequence[ReferralRow]
    count: ReferralCount
    next_url: str | None


def first_referrals(inviter: AbstractBaseUser, request: Request) -> FirstReferrals:
    pagination = _FirstPage()
    rows = pagination.read(inviter.pk)
    next_url = None
    if pagination.has_next:
        pagination.base_url = public_url(request._request, reverse("referrals:list"))
        next_url = pagination.get_next_link()
    return FirstReferrals(rows, count_of(rows), next_url)


def count_of(rows: Sequence[ReferralRow]) -> ReferralCount:
    """From a page that was read `with_count`."""
    return ReferralCount.of(rows[0].count if rows else 0)


class _FirstPage(ReferralPagination):
    """Makes the link to the next page for rows that were read with plain SQL."""

    cursor = None
    has_previous = False

    def read(self, inviter_id: int) -> list[ReferralRow]:
        rows = Referral.objects.newest(inviter_id, self.page_size + 1)
        self.page = rows[: self.page_size]
        self.has_next = len(rows) > self.page_size
        if self.has_next:
            self.next_position = self._get_position_from_instance(
                rows[-1], self.ordering
            )
        return self.page
