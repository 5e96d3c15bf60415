"""E-mails about what happened to an account, to addresses that were confirmed."""

from contextlib import suppress

from django.conf import settings
from django.db.models import F
from django.utils import translation

from config.refusals import LimitReached
from config.server.redis_pool import REDIS_FAILS
from limits.budgets import attempt, reserve
from referrals.models import Referral
from users.mail import emails
from users.mail.sending import send_after_commit
from users.models import Device, User, VerifiedEmail
from users.phones import PhoneNumber


def notify_of_new_device(device: Device) -> None:
    if to := _recipient(device.user_id):
        with translation.override(to.language):
            send_after_commit(emails.new_device(device.name), to=to.email)


def notify_of_changed_number(user_id: int, phone_number: PhoneNumber) -> None:
    if to := _recipient(user_id):
        with translation.override(to.language):
            email = emails.number_changed(phone_number.masked)
            send_after_commit(email, to=to.email)


def notify_of_changed_email(before: VerifiedEmail) -> None:
    """To the e-mail that the profile had before."""
    with translation.override(before.language):
        send_after_commit(emails.email_changed(), to=before.email)


def notify_inviter(referral: Referral) -> None:
    """E-mail the inviter. Limited per day, so that a popular inviter is not flooded."""
    to = _recipient(referral.inviter_id)
    invitee = User.objects.filter(pk=referral.invitee_id).first() if to else None
    if to is None or invitee is None:
        return
    with suppress(LimitReached, *REDIS_FAILS):
        reserve(attempt("invite_notices_per_user", str(to.pk)))
        with translation.override(to.language):
            send_after_commit(emails.invite_code_used(invitee.public_name), to=to.email)


def _recipient(user_id: int | None) -> VerifiedEmail | None:
    if not settings.EMAIL_NOTICES or user_id is None:
        return None
    verified = VerifiedEmail.objects.filter(email=F("user__email"))
    return verified.filter(user_id=user_id, user__is_active=True).first()
