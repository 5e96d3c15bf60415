from functools import partial

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import NotFound

from config.monitoring import audit
from users.models import Token, User


def sign_out(token: Token) -> None:
    audit.record("token.revoked", user=token.user_id, device=token.pk)
    token.delete()


def sign_out_device(*, user: User, device_id: int) -> None:
    """Raises NotFound, also for a device of somebody else."""
    ended, _rows = Token.objects.filter(pk=device_id, user=user).delete()
    if not ended:
        raise NotFound
    audit.record("token.revoked", user=user.pk, device=device_id)


def sign_out_everywhere(user: User) -> None:
    count, _ = Token.objects.filter(user=user).delete()
    transaction.on_commit(
        partial(audit.record, "token.all_revoked", user=user.pk, devices=count)
    )


def prune() -> dict[str, int]:
    """Delete what has ended: devices that were not used and browser sessions.

    How many of each. It is never needed to keep them out, only to save room.
    """
    now = timezone.now()
    devices, _ = Token.objects.filter(expires_at__lte=now).delete()
    sessions, _ = Session.objects.filter(expire_date__lte=now).delete()
    return {"devices": devices, "sessions": sessions}
