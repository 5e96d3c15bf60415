"""Who may read other people's data over the API.

A token from an SMS code is not enough: a stolen phone of a staff member must not open
everybody's data. Staff use a token that was made on the server's console
(`manage.py staff_token`). It has a fixed expiry and ends like any device: by a
sign-out, on the admin site, or with the account.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from config.monitoring import audit
from users.devices.token_authentication import issue_token
from users.models import Device, User
from users.staff.credentials import address_of
from users.staff.exceptions import StaffOnly


class IsStaff(BasePermission):
    security_scheme = (
        "staffToken",
        {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": _("`Token <token>`, made by `manage.py staff_token`."),
        },
    )

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            return False
        device = request.auth
        is_for_staff = isinstance(device, Device) and device.is_for_staff
        if not (is_for_staff and request.user.is_staff):
            audit.record(
                "staff_token.refused",
                user=request.user.pk,
                address=address_of(request._request),
            )
            raise StaffOnly
        return True


def issue_staff_token(*, user: User, days: int) -> str:
    """Raises StaffOnly if the user is not on the staff, or not active."""
    if not (user.is_staff and user.is_active):
        raise StaffOnly
    with transaction.atomic():
        device, token = issue_token(user=user, user_agent="manage.py staff_token")
        device.is_for_staff = True
        device.expires_at = timezone.now() + timedelta(days=days)
        device.save(update_fields=["is_for_staff", "expires_at"])
    audit.record("staff_token.issued", user=user.pk, device=device.pk, days=days)
    return token
