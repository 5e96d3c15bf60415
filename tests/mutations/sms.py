from tests.mutations.guard import Guard

GUARDS = [
    Guard(
        "an SMS that may have been sent is not sent again",
        "users/sms/smsaero.py",
        "        if found is None or (not found and tried.seconds_to_repeat):\n            raise SmsUnsure(is_new=False)\n",
        "",
        "users/sms/tests/test_smsaero.py::test_without_an_answer_nothing_is_sent_until_a_second_sms_may_come",
    ),
    Guard(
        "after a lost answer the SMS is looked up",
        "users/sms/smsaero.py",
        "        if not self._find(sms, since=since):",
        "        if True:",
        "users/sms/tests/test_smsaero.py::test_a_lost_answer_is_looked_up_and_not_sent_again",
    ),
    Guard(
        "the chain stops when a provider does not answer",
        "users/sms/chain.py",
        "                unsure.by = path\n                raise\n",
        "                continue\n",
        "users/sms/tests/test_sms_webhook.py::test_the_chain_does_not_go_on_after_no_answer",
    ),
    Guard(
        "the SMS webhook is repeated with the same key",
        "users/sms/webhook.py",
        '"Idempotency-Key": sms.key,',
        '"Idempotency-Key": str(sms.seconds_left),',
        "users/sms/tests/test_sms_webhook.py::test_a_repeated_request_has_the_same_key",
    ),
    Guard(
        "sending stops at the deadline",
        "users/sms/http.py",
        "            asyncio.timeout(seconds),\n",
        "            asyncio.timeout(60),\n",
        "users/sms/tests/test_smsaero.py::test_a_lost_answer_is_looked_up_and_not_sent_again",
    ),
]
