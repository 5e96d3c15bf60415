from tests.mutations.guard import Guard

GUARDS = [
    Guard(
        "token, user and activation come in one query",
        "users/devices/token_authentication.py",
        'Device.objects.live().select_related("user__activation")',
        "Device.objects.live()",
        "users/devices/tests/test_tokens.py::test_token_user_and_activation_come_in_one_query",
    ),
    Guard(
        "a staff token expires on its day, even if it is used",
        "users/devices/token_authentication.py",
        "if device.is_for_staff or now",
        "if now",
        "users/staff/tests/test_staff_api.py::test_a_staff_token_ends_on_its_day_however_much_it_is_used",
    ),
    Guard(
        "signing out elsewhere signs the browser out",
        "users/devices/middleware.py",
        "        if device is None:\n            logout(request)\n        elif",
        "        if device and",
        "users/devices/tests/test_browsers.py::test_signing_out_elsewhere_ends_the_browser",
    ),
    Guard(
        "a refresh token works once",
        "users/devices/jwt_tokens.py",
        "filter(pk=device.pk, digest=_digest(old))",
        "filter(pk=device.pk)",
        "users/devices/tests/test_jwt.py::test_a_refresh_token_sent_again_ends_the_device",
    ),
    Guard(
        "one of simultaneous refreshes succeeds",
        "users/devices/jwt_tokens.py",
        "changed = Device.objects.filter(pk=device.pk, digest=_digest(old)).update(",
        "changed = device.digest == _digest(old) and Device.objects.filter(pk=device.pk).update(",
        "tests/project/test_races.py::test_one_of_20_refreshes_succeeds_and_the_device_is_signed_out",
    ),
    Guard(
        "a copied refresh token signs its device out",
        "users/devices/jwt_tokens.py",
        "        _sign_out_copied(device)\n        raise",
        "        raise",
        "users/devices/tests/test_jwt.py::test_a_refresh_token_sent_again_ends_the_device",
    ),
    Guard(
        "a JWT is invalid without its device",
        "users/devices/jwt_tokens.py",
        "Device.objects.live().select_related",
        "Device.objects.select_related",
        "users/devices/tests/test_jwt.py::test_the_end_of_the_device_is_its_jwts_end",
    ),
    Guard(
        "users cannot sign out other users' devices",
        "users/devices/services.py",
        "filter(pk=device_id, user=user)",
        "filter(pk=device_id)",
        "users/devices/tests/test_devices.py::test_a_device_of_another_user_is_not_found",
    ),
]
