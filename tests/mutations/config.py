from tests.mutations.guard import Guard

GUARDS = [
    Guard(
        "reads do not wait for queued writes",
        "config/server/request_queue.py",
        "queue = self._queues[is_read]",
        "queue = self._queues[True]",
        "config/server/tests/test_request_queue.py::test_reads_wait_for_no_queue_of_writes",
    ),
    Guard(
        "exports contain no formulas",
        "config/admin/csv_export.py",
        "not text or text[0].isalpha()",
        "text",
        "config/admin/tests/test_csv_export.py::test_cells_that_could_be_formulas_are_marked_as_text",
    ),
    Guard(
        "JWTs have their own key",
        "config/settings.py",
        'hmac.digest(SECRET_KEY.encode(), b"users.jwt", "sha256").hex()',
        "SECRET_KEY",
        "users/devices/tests/test_jwt.py::test_a_bad_access_token_is_refused_without_a_query",
    ),
]
