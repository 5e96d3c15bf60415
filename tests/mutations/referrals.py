from tests.mutations.guard import Guard

GUARDS = [
    Guard(
        "a user activates one code (the check in the service)",
        "referrals/services.py",
        "        raise InviteCodeAlreadyActivated",
        "        return None",
        "referrals/tests/test_activation.py::test_a_second_code_is_refused",
    ),
    Guard(
        "a user activates one code (the primary key)",
        "referrals/services.py",
        "invitee_id=invitee.pk, inviter_id=inviter.pk, code_used=code",
        "invitee_id=invitee.pk, inviter_id=inviter.pk, code_used=code\n            ) if not Referral.objects.filter(pk=invitee.pk).delete() else (\n                Referral.objects.create(\n                    invitee_id=invitee.pk,\n                    inviter_id=inviter.pk,\n                    code_used=code,\n                )",
        "referrals/tests/test_activation.py::test_a_loser_of_the_race_is_told",
    ),
    Guard(
        "nobody invites themselves (the service)",
        "referrals/services.py",
        "        raise InviteCodeOwn",
        "        pass",
        "referrals/tests/test_activation.py::test_an_own_invite_code_is_refused",
    ),
    Guard(
        "nobody invites themselves (the constraint)",
        "referrals/migrations/0001_initial.py",
        '("inviter", models.F("invitee")), _negated=True',
        '("code_used", ""), _negated=True',
        "referrals/tests/test_activation.py::test_the_database_alone_refuses_inviting_oneself",
    ),
    Guard(
        "the number of queries for the list is constant",
        "referrals/serializers.py",
        "instance.invitee_name",
        "instance.invitee.get_username()",
        "referrals/tests/test_list.py::test_the_list_takes_two_queries",
    ),
    Guard(
        "a correction is refused if the referral has changed",
        "referrals/support/corrections.py",
        "    if now.seen != seen:\n        raise CorrectionOutdated\n",
        "",
        "referrals/support/tests/test_corrections.py::test_a_correction_of_an_outdated_state_is_refused",
    ),
    Guard(
        "an activation and its event share a transaction",
        "referrals/services.py",
        "            _tell_other_systems(referral, invitee)\n",
        "        with transaction.atomic():\n            _tell_other_systems(referral, invitee)\n",
        "webhooks/tests/test_outbox.py::test_an_activation_without_its_event_is_undone",
    ),
    Guard(
        "invite codes are counted by number, not by a row that is rolled back",
        "referrals/services.py",
        'limits.append(attempt("activation_failures_per_user", username))',
        'limits.append(attempt("activation_failures_per_user", username + address))',
        "users/login/tests/test_limits.py::test_invite_codes_tried_by_a_number_while_signing_in",
    ),
    Guard(
        "every path to an invite code counts by address",
        "referrals/services.py",
        '    limits = [attempt("lookups_per_address", address)]\n    if username',
        "    limits = []\n    if username",
        "users/login/tests/test_limits.py::test_invite_codes_tried_from_an_address_on_any_path",
    ),
    Guard(
        "an invite code that is activated costs no look-up",
        "referrals/services.py",
        "    look_up.refund()\n    return referral",
        "    return referral",
        "users/login/tests/test_limits.py::test_invited_sign_ins_at_one_address_cost_nothing",
    ),
]
