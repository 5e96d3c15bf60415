from functools import partial
from uuid import uuid4

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from config.monitoring import audit
from config.refusals import NotFound
from users.models import Device, User


def sign_out(device: Device) -> None:
    audit.record("token.revoked", user=device.user_id, device=device.pk)
    device.delete()


def sign_out_device(*, user: User, device_id: int) -> None:
    """Raises NotFound, also for a device of another user."""
    deleted, _rows = Device.objects.filter(pk=device_id, user=user).delete()
    if not deleted:
        raise NotFound
    audit.record("token.revoked", user=user.pk, device=device_id)


def sign_out_everywhere(user: User) -> None:
    """Delete the user's devices, and end their known-device tokens."""
    user.known_devices_key = uuid4()
    with transaction.atomic():
        # The account first: a sign-in has locked it, and its device is deleted, too.
        User.objects.filter(pk=user.pk).update(known_devices_key=user.known_devices_key)
        count, _rows = Device.objects.filter(user=user).delete()
        transaction.on_commit(
            partial(audit.record, "token.all_revoked", user=user.pk, devices=count)
        )


def prune() -> dict[str, int]:
    """Delete expired devices and browser sessions; returns how many of each.

    They are refused without it: this only frees space.
    """
    now = timezone.now()
    devices, _rows = Device.objects.filter(expires_at__lte=now).delete()
    sessions, _rows = Session.objects.filter(expire_date__lte=now).delete()
    return {"devices": devices, "sessions": sessions}
