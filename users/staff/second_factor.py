"""The second factor of the admin site: an authenticator app, and codes in reserve.

django-otp stores and compares both (TOTP of RFC 6238, and codes that work once).
"""

from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django_otp import devices_for_user, match_token
from django_otp.models import Device as Factor
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from config.monitoring import audit
from users.models import User
from users.phones import PhoneNumber
from users.staff.credentials import counted_guess, second_factor_limits

BACKUP_CODES = 10


class SecondFactorExists(Exception):
    """The person has set up a second factor meanwhile."""


def is_set_up(user: User) -> bool:
    return next(devices_for_user(user), None) is not None


def new_app(user: User, key: str = "") -> TOTPDevice:
    """An authenticator app with this key, or a new one. Not stored yet."""
    return TOTPDevice(user=user, name="app", key=key or random_hex(20))


def set_up(app: TOTPDevice, code: str) -> list[str]:
    """Store the app and new backup codes. Returns those, which are shown only once.

    Raises ValidationError if the code is not the app's, and SecondFactorExists.
    """
    totp = TOTP(app.bin_key)
    code = _normalized(code)
    if not (code.isdecimal() and totp.verify(int(code), app.tolerance)):
        raise _wrong_code()
    app.last_t, app.drift = totp.t(), totp.drift  # so the code does not work again
    with transaction.atomic():
        # Locked: of two people who know the password, one sets it up.
        User.objects.select_for_update().get(pk=app.user_id)
        if is_set_up(app.user):
            raise SecondFactorExists
        app.save()
        backup = StaticDevice.objects.create(user=app.user, name="backup")
        codes = [StaticToken.random_token() for _ in range(BACKUP_CODES)]
        StaticToken.objects.bulk_create(
            StaticToken(device=backup, token=code) for code in codes
        )
        transaction.on_commit(
            partial(audit.record, "second_factor.added", user=app.user_id)
        )
    return codes


def check(user: User, code: str) -> Factor:
    """The app or the backup codes that the code is from.

    Raises ValidationError if it is from neither, and if too many were wrong.
    """
    limits = second_factor_limits(PhoneNumber(user.phone_number))
    with counted_guess("second_factor", limits, user=user.pk):
        factor = match_token(user, _normalized(code))
        if factor is None:
            raise _wrong_code()
    return factor


def remove(user: User) -> bool:
    """So that the person sets up a new one. Returns whether there was one."""
    with transaction.atomic():
        factors = list(devices_for_user(user, confirmed=None))
        for factor in factors:
            factor.delete()
        if factors:
            record = partial(audit.record, "second_factor.removed", user=user.pk)
            transaction.on_commit(record)
    return bool(factors)


def _normalized(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _wrong_code() -> ValidationError:
    return ValidationError(_("The code is wrong."), code="code_incorrect")
