from tests.mutations.guard import Guard

GUARDS = [
    Guard(
        "the edge of a period does not let twice the limit through",
        "limits/commands.py",
        "if n >= self._slice - SLICES}",
        "if n >= self._slice}",
        "limits/tests/test_commands.py::test_in_no_period_are_there_more_attempts_than_the_limit",
    ),
    Guard(
        "a code that is spent during a guess stays spent",
        "limits/commands.py",
        "            return int(cache.decr(self.key, self.amount))\n",
        "            cache.set(self.key, 2, 60)\n            return 2\n",
        "limits/tests/test_commands.py::test_a_key_that_is_ended_during_a_run_is_not_made_again",
    ),
    Guard(
        "attempts are counted before they are allowed",
        "limits/commands.py",
        "    with _lock:\n        for place",
        "    if True:\n        for place",
        "limits/tests/test_budgets.py::test_simultaneous_attempts_are_granted_up_to_the_limit",
    ),
    Guard(
        "a forged X-Forwarded-For is ignored",
        "limits/addresses.py",
        "    if proxies:\n",
        "    proxies = proxies or 1\n    if proxies:\n",
        "limits/tests/test_addresses.py::test_a_thousand_forged_headers_are_one_client",
    ),
]
