from tests.mutations.guard import Guard

GUARDS = [
    Guard(
        "the edge of a period does not let twice the limit through",
        "limits/command_types.py",
        "if n >= self._slice - SLICES}",
        "if n >= self._slice}",
        "limits/tests/test_commands.py::test_in_no_period_are_there_more_attempts_than_the_limit",
    ),
    Guard(
        "a code that is spent during a guess stays spent",
        "limits/command_types.py",
        "            return int(cache.decr(self.key, self.amount))\n",
        "            cache.set(self.key, 2, 60)\n            return 2\n",
        "limits/tests/test_commands.py::test_a_key_that_is_ended_during_a_run_is_not_made_again",
    ),
    Guard(
        "attempts are counted before they are allowed",
        "limits/commands.py",
        "    with _lock:\n        if action",
        "    if True:\n        if action",
        "limits/tests/test_budgets.py::test_simultaneous_attempts_are_granted_up_to_the_limit",
    ),
    Guard(
        "a refusal of a later step refunds the earlier ones",
        "limits/commands.py",
        "        except CommandRefused:\n            refund(granted)\n",
        "        except CommandRefused:\n",
        "limits/tests/test_commands.py::test_one_refusal_runs_none",
    ),
    Guard(
        "a refusal does not uncount what another request with the same item counted",
        "limits/command_types.py",
        "            cache.incr(self.item_key)\n",
        "",
        "limits/tests/test_commands.py::test_an_item_stays_counted_if_one_of_two_attempts_with_it_is_given_back",
    ),
    Guard(
        "a forged X-Forwarded-For is ignored",
        "limits/addresses.py",
        "    if proxies:\n",
        "    proxies = proxies or 1\n    if proxies:\n",
        "limits/tests/test_addresses.py::test_a_thousand_forged_headers_are_one_client",
    ),
    Guard(
        "empty entries of X-Forwarded-For do not count",
        "limits/addresses.py",
        '    entries = [entry for part in header.split(",") if (entry := part.strip())]\n',
        '    entries = [part.strip() for part in header.split(",")]\n',
        "limits/tests/test_addresses.py::test_the_address_of_the_client",
    ),
    Guard(
        "a missing address is reported once",
        "limits/addresses.py",
        "    if lock.acquire(blocking=False):\n",
        "    if True:\n",
        "limits/tests/test_addresses.py::test_a_header_without_an_address_is_reported_once",
    ),
]
