from tests.mutations.guard import Guard

GUARDS = [
    Guard(
        "unlocking keeps the guesses of the month",
        "users/staff/support.py",
        "dict.fromkeys(OF_NUMBER, number)",
        "dict.fromkeys((*OF_NUMBER, *LASTING), number)",
        "users/staff/tests/test_support.py::test_unlock_leaves_the_guesses_of_the_month",
    ),
    Guard(
        "support staff cannot change staff accounts",
        "users/staff/support_admin.py",
        "    return bool(request.user.is_superuser) or not is_staff\n",
        "    return True\n",
        "users/staff/tests/test_support.py::test_support_does_not_touch_staff",
    ),
    Guard(
        "an SMS code does not open the admin site",
        "users/staff/admin_site.py",
        "return by_password and super()",
        "return super()",
        "users/staff/tests/test_admin.py::test_an_sms_code_does_not_open_the_admin_site",
    ),
    Guard(
        "an SMS code does not open the staff API",
        "users/staff/permissions.py",
        "isinstance(device, Device) and device.is_for_staff",
        "isinstance(device, Device)",
        "users/staff/tests/test_staff_api.py::test_a_code_by_sms_does_not_open_it",
    ),
    Guard(
        "staff tokens end when the user is no longer staff",
        "users/staff/permissions.py",
        "(is_for_staff and request.user.is_staff)",
        "is_for_staff",
        "users/staff/tests/test_staff_api.py::test_the_staff_api_is_closed_to_former_staff",
    ),
    Guard(
        "only superusers delete staff, also in bulk",
        "users/staff/person_admin.py",
        "set() if may_delete else {self.opts.verbose_name}",
        "set[str]()",
        "users/staff/tests/test_admin.py::test_support_deletes_no_superuser_among_others",
    ),
]
