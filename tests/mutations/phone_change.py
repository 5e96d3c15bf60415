from tests.mutations.guard import Guard

GUARDS = [
    Guard(
        "codes of a phone change belong to one user and number",
        "users/phone_change/services.py",
        'f"change:{user.pk}:{phone_number.pseudonym}"',
        '"change"',
        "users/phone_change/tests/test_phone_change.py::test_codes_are_valid_for_one_person_and_one_number",
    ),
    Guard(
        "a phone change needs the old number's code",
        "users/phone_change/services.py",
        "        _guess(old, old_digits, old_number, client)\n",
        "        pass\n",
        "users/phone_change/tests/test_phone_change.py::test_a_wrong_code_is_told_and_the_right_one_still_works",
    ),
    Guard(
        "a phone change needs the new number's code",
        "users/phone_change/services.py",
        "        _guess(new, new_digits, phone_number, client)\n",
        "        pass\n",
        "users/phone_change/tests/test_phone_change.py::test_a_wrong_code_is_told_and_the_right_one_still_works",
    ),
    Guard(
        "a phone change signs out all devices",
        "users/phone_change/services.py",
        "        sign_out_everywhere(user)\n",
        "",
        "users/phone_change/tests/test_phone_change.py::test_all_earlier_devices_end",
    ),
    Guard(
        "a phone change invalidates copied session cookies",
        "users/phone_change/pages.py",
        "    request.session.cycle_key()",
        "    pass",
        "users/phone_change/tests/test_pages.py::test_in_two_steps",
    ),
    Guard(
        "a phone change is refused if the number has changed",
        "users/phone_change/services.py",
        "    if locked.phone_number != user.phone_number:\n",
        "    if False:\n",
        "users/phone_change/tests/test_phone_change.py::test_an_account_that_ends_or_moves_meanwhile",
    ),
    Guard(
        "the loser of two changes of number gets the profile",
        "users/phone_change/pages.py",
        "if _has_changed(request, phone_number):",
        "if False:",
        "users/login/tests/test_double_submission.py::test_loser_of_two_simultaneous_changes_of_number_gets_the_profile",
    ),
]
