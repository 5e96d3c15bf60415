"""The terms that people accept, if TERMS_VERSION is set."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction

from config.monitoring import audit
from config.refusals import NotFound, NotSignedIn
from users.models import TermsAcceptance, User
from users.terms.exceptions import TermsVersionOutdated


@dataclass(frozen=True, slots=True)
class Terms:
    """The current terms, and which version the person accepted."""

    version: str
    url: str
    privacy_url: str | None
    accepted_version: str | None = None
    accepted_at: datetime | None = None

    @property
    def is_accepted(self) -> bool:
        return self.accepted_version == self.version


def current_terms() -> Terms | None:
    """None if TERMS_VERSION is not set."""
    if not settings.TERMS_VERSION:
        return None
    return Terms(
        version=settings.TERMS_VERSION,
        url=settings.TERMS_URL,
        privacy_url=settings.PRIVACY_URL or None,
    )


def terms_of(user: User) -> Terms | None:
    """The current terms, with the person's acceptance of them, or else the latest
    acceptance of another version.
    """
    terms = current_terms()
    if terms is None:
        return None
    rows = list(user.terms_acceptances.order_by("-accepted_at", "-pk"))
    newest = rows[0] if rows else None
    row = next((row for row in rows if row.version == terms.version), newest)
    if row is None:
        return terms
    return replace(terms, accepted_version=row.version, accepted_at=row.accepted_at)


def accept_terms(*, user: User, version: str) -> None:
    """Record that the person accepts this version. Accepting twice changes nothing.

    Raises TermsVersionOutdated, and NotFound if TERMS_VERSION is not set.
    """
    if not settings.TERMS_VERSION:
        raise NotFound
    if version != settings.TERMS_VERSION:
        raise TermsVersionOutdated
    try:
        with transaction.atomic():
            _row, is_new = TermsAcceptance.objects.get_or_create(
                user=user, version=version
            )
            if is_new:
                transaction.on_commit(
                    partial(
                        audit.record, "terms.accepted", user=user.pk, version=version
                    )
                )
    except IntegrityError:
        raise NotSignedIn from None  # the account was deleted since
