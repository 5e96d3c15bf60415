from tests.mutations.guard import Guard

GUARDS = [
    Guard(
        "one number has one account",
        "users/migrations/0001_initial.py",
        'fields=("phone_number",)',
        'fields=("phone_number", "invite_code")',
        "users/login/tests/test_sign_in.py::test_losing_the_race_of_first_sign_ins_is_no_error",
    ),
    Guard(
        "the second of two simultaneous first sign-ins succeeds",
        "users/models.py",
        "            user = self.create_user(phone_number)\n        except IntegrityError:",
        "            user = self.create_user(phone_number)\n        except ZeroDivisionError:",
        "users/login/tests/test_sign_in.py::test_losing_the_race_of_first_sign_ins_is_no_error",
    ),
    Guard(
        "every user has an invite code (the constraint)",
        "users/migrations/0001_initial.py",
        '("invite_code__regex", "^',
        '("invite_code__regex", "^$|^',
        "users/tests/test_users.py::test_the_database_alone_refuses_a_malformed",
    ),
    Guard(
        "a new invite code is drawn if the first is taken",
        "users/models.py",
        "if not (code_is_taken and draws_left):",
        "if True:",
        "users/tests/test_users.py::test_a_taken_invite_code_is_drawn_again",
    ),
    Guard(
        "tokens of a closed account are invalid",
        "users/models.py",
        "            expires_at__gt=now,\n            user__is_active=True,\n",
        "            expires_at__gt=now,\n",
        "users/devices/tests/test_tokens.py::test_closing_the_account_ends_its_tokens",
    ),
    Guard(
        "users cannot see other users' devices",
        "users/models.py",
        "return self.live().filter(user=user)",
        "return self.live()",
        "users/devices/tests/test_devices.py::test_devices_are_listed_the_one_used_last_first",
    ),
]
