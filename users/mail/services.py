"""Confirming the e-mail of the profile by a link, if EMAIL_NOTICES is on.

The link contains a time and a signature. They are valid for one account and one e-mail,
for LINK_SECONDS, and only for somebody who is signed in to that account: the link alone
opens nothing. It is in the query of the URL, which neither our logs nor nginx's have.
"""

from contextlib import suppress
from urllib.parse import urlencode

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import punycode
from django.utils.translation import get_language

from config.monitoring import audit
from config.refusals import LimitReached, NotFound, NotSignedIn
from config.server.redis_pool import REDIS_FAILS
from limits.budgets import attempt, reserve, unless_fresh
from users.mail import emails
from users.mail.exceptions import EmailLinkInvalid, EmailMissing
from users.mail.notices import notify_of_changed_email
from users.mail.sending import send_after_commit
from users.models import User, VerifiedEmail

LINK_SECONDS = 24 * 3600
PER_MAILBOX = "email_links_per_email_address"
_SIGNED_VALUE = "email"


def send_verification_link(user: User) -> None:
    """Send a link that confirms the e-mail. If it is confirmed, nothing is sent.

    Raises EmailMissing, LimitReached, and NotFound if EMAIL_NOTICES is off.
    """
    if not settings.EMAIL_NOTICES:
        raise NotFound
    if not user.email:
        raise EmailMissing
    if user.is_email_verified:
        return
    mailbox = _mailbox(user.email)
    of_person = attempt(PER_MAILBOX, f"{mailbox} {user.pk}")
    reserve(
        attempt("email_links_per_user", str(user.pk)),
        of_person,
        # Otherwise strangers could use up the links of somebody's mailbox.
        unless_fresh(attempt(PER_MAILBOX, mailbox), of_person),
    )
    query = urlencode({"key": _signer(user).sign(_SIGNED_VALUE)})
    url = f"{emails.base_url()}{reverse('confirm-email')}?{query}"
    send_after_commit(emails.verification_link(url), to=user.email)
    audit.record("email.link_sent", user=user.pk)


def handle_changed_email(user: User, *, before: str) -> bool | None:
    """Delete the verification of the old e-mail, notify it, send a link to the new one.

    Returns whether a link was sent, or None if the new e-mail needs none. If the limit
    is reached or Redis fails, no link is sent: the new e-mail is saved already, and the
    person can ask for a link later.
    """
    others = VerifiedEmail.objects.filter(user=user).exclude(email=user.email)
    if settings.EMAIL_NOTICES and (old := others.filter(email=before).first()):
        notify_of_changed_email(old)
    others.delete()
    if not settings.EMAIL_NOTICES or not user.email or user.is_email_verified:
        return None
    with suppress(LimitReached, *REDIS_FAILS):
        send_verification_link(user)
        return True
    return False


def check_key(*, user: User, key: str) -> None:
    """Raises EmailLinkInvalid, and NotFound if EMAIL_NOTICES is off."""
    if not settings.EMAIL_NOTICES:
        raise NotFound
    try:
        _signer(user).unsign(key, max_age=LINK_SECONDS)
    except BadSignature:
        raise EmailLinkInvalid from None


def verify_email(*, user: User, key: str) -> None:
    """Raises EmailLinkInvalid, and NotFound if EMAIL_NOTICES is off."""
    check_key(user=user, key=key)
    facts = {
        "email": user.email,
        "language": get_language() or settings.LANGUAGE_CODE,
        "verified_at": timezone.now(),
    }
    try:
        with transaction.atomic():
            row, _is_new = VerifiedEmail.objects.update_or_create(
                user=user, defaults=facts
            )
    except IntegrityError:
        raise NotSignedIn from None  # the account was deleted since
    user.verified_email = row
    audit.record("email.verified", user=user.pk)


def _mailbox(email: str) -> str:
    """To count by: the same for spellings that may lead to one mailbox.

    Many providers deliver `a.lice+shop@` to `alice@`, and a domain in full-width
    letters is sent to the plain one. Two people who are taken for one share a limit.
    """
    local_part, _at, domain = email.rpartition("@")
    name = local_part.partition("+")[0].replace(".", "") or local_part
    with suppress(UnicodeError):  # too long: no e-mail can be sent there
        domain = punycode(domain)
    return f"{name}@{domain}".casefold()


def _signer(user: User) -> TimestampSigner:
    return TimestampSigner(salt=f"users.mail {user.pk} {user.email}")
