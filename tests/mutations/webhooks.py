from tests.mutations.guard import Guard

GUARDS = [
    Guard(
        "an event outside a transaction raises an error",
        "webhooks/services.py",
        "    if not connection.in_atomic_block:",
        "    if False:",
        "webhooks/tests/test_outbox.py::test_an_event_outside_a_transaction_is_a_mistake",
    ),
    Guard(
        "the signature covers the event's id",
        "webhooks/messages.py",
        "sign(id_, now, body)",
        'sign("", now, body)',
        "webhooks/tests/test_delivery.py::test_an_event_is_posted_signed_and_done",
    ),
    Guard(
        "two workers never send the same event",
        "webhooks/services.py",
        "until = timezone.now() + CLAIM",
        "until = timezone.now()",
        "webhooks/tests/test_delivery.py::test_one_of_several_workers_gets_an_event",
    ),
    Guard(
        "a redirect is not followed",
        "webhooks/courier.py",
        "follow_redirects=False",
        "follow_redirects=True",
        "webhooks/tests/test_delivery.py::test_no_2xx_is_no_receipt",
    ),
    Guard(
        "410 Gone stops all sending",
        "webhooks/services.py",
        "    if Endpoint.objects.current().stopped().exists():\n",
        "    if False:\n",
        "webhooks/tests/test_delivery.py::test_410_stops_all_sending_until_somebody_resumes",
    ),
    Guard(
        "Retry-After is bounded",
        "webhooks/courier.py",
        "    return min(max(wait, timedelta()), LONGEST_PAUSE)\n",
        "    return max(wait, timedelta())\n",
        "webhooks/tests/test_delivery.py::test_the_receiver_names_the_time_of_the_next_attempt",
    ),
]
