"""Metrics for Prometheus, counted in memory that the processes of one gunicorn share.

No label has a value that a client chose: routes, not paths; names of limits, not of
people.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.values import MutexValue, ValueClass

_registry = CollectorRegistry()
# Collectors that apps register. They read the database, so every machine tells the
# same.
asked_at_each_scrape = CollectorRegistry()
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_requests = Histogram(
    "referral_request_seconds",
    "Requests, from the first line of ours to the last.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=_registry,
)
_events = Counter(
    "referral_events_total",
    "Events of the audit trail: codes sent, refused and wrong, sign-ins, activations.",
    ["event", "limit", "is_new_user"],
    registry=_registry,
)
_sms = Histogram(
    "referral_sms_seconds",
    "Messages handed to the SMS backend.",
    ["outcome"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20),
    registry=_registry,
)


_messages = Counter(
    "referral_messages_total",
    "Codes handed to each provider, by channel, country and outcome.",
    ["provider", "channel", "country", "outcome"],
    registry=_registry,
)
_deliveries = Counter(
    "referral_deliveries_total",
    "Codes that arrived or not, as far as providers told.",
    ["provider", "channel", "country", "status"],
    registry=_registry,
)
_skipped_providers = Counter(
    "referral_providers_skipped_total",
    "How often a provider was skipped for a while because it kept failing.",
    ["provider"],
    registry=_registry,
)


def known_method(method: str) -> str:
    return method if method in _METHODS else "other"


def count_request(*, method: str, route: str, status: int, seconds: float) -> None:
    _requests.labels(known_method(method), route, status).observe(seconds)


def count_event(event: str, *, limit: object = "", is_new_user: object = "") -> None:
    _events.labels(event, limit, str(is_new_user).lower()).inc()


@contextmanager
def timed_sms() -> Iterator[None]:
    start, outcome = perf_counter(), "failed"
    try:
        yield
        outcome = "accepted"
    finally:
        _sms.labels(outcome).observe(perf_counter() - start)


def count_message(*, provider: str, channel: str, country: str, outcome: str) -> None:
    _messages.labels(provider, channel, country, outcome).inc()


def count_delivery(*, provider: str, channel: str, country: str, status: str) -> None:
    _deliveries.labels(provider, channel, country, status).inc()


def count_skipped_provider(provider: str) -> None:
    _skipped_providers.labels(provider).inc()


def collected() -> CollectorRegistry:
    """With several workers the sum of their metrics, otherwise this process's."""
    if ValueClass is MutexValue:
        return _registry
    everybody = CollectorRegistry()
    MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]  # the library's
    return everybody


class AllMetrics(Collector):
    """One text: OpenMetrics ends with `# EOF`, so two cannot be joined."""

    def collect(self) -> Iterator[Metric]:
        yield from collected().collect()
        yield from asked_at_each_scrape.collect()
