import json

from tests.benchmarks.wrk import parse

RESULT = {
    "requests": 200,
    "seconds": 10.0,
    "status_errors": 20,
    "socket_errors": 1,
    "steady": 150,
    "p50": 1.5,
    "p90": 2.5,
    "p99": 3.5,
    "longest": 9.0,
    "refusal": "429 ",
}


def output(**changes: object) -> str:
    return f"Running 10s test\n\n{json.dumps({**RESULT, **changes})}\n"


def test_last_line_of_output_is_parsed() -> None:
    load = parse(output())
    assert (load.requests, load.p99, load.refusal) == (200, 3.5, "429 ")


def test_error_answers_do_not_count_in_the_rate() -> None:
    load = parse(output())
    assert load.rate == 18
    assert load.failures == 21


def test_run_without_answers_fails_and_has_infinite_latency() -> None:
    load = parse(output(requests=0, status_errors=0, socket_errors=0, p99=0.0))
    assert load.failures == 1
    assert load.p99 == float("inf")
