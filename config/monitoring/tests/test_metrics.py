"""What /metrics tells, to whom, and that nothing personal is in it."""

import re
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import DatabaseError
from django.utils import timezone
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, ask_for_code, error_of, signed_in
from tests.lab.shared import wrong
from users.channels.exceptions import SmsUnavailable
from users.channels.memory import MemoryBackend
from users.models import User
from webhooks.models import Event, EventQuerySet

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-20-letters"


class Scrape:
    """What each series has gained since this was made."""

    def __init__(self) -> None:
        self.before = self._read()

    def gained(self, name: str, **labels: str) -> float:
        gain = {k: v - self.before.get(k, 0) for k, v in self._read().items()}
        return sum(
            value
            for (series, its), value in gain.items()
            if series == name and labels.items() <= set(its)
        )

    def _read(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        client = APIClient(headers={"authorization": f"Bearer {TOKEN}"})
        response = client.get("/metrics")
        assert response.status_code == 200
        assert response["Content-Type"].startswith("text/plain")
        self.text = response.content.decode()
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(self.text)
            for sample in family.samples
        }


@pytest.fixture
def scrape(settings: LazySettings) -> Scrape:
    settings.METRICS_TOKEN = TOKEN
    return Scrape()


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Token {TOKEN}"])
def test_without_the_token_it_is_closed(settings: LazySettings, header: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    response = APIClient(headers={"authorization": header}).get("/metrics")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert error_of(response)["code"] == "authentication_failed"


def test_without_a_token_set_it_is_off(settings: LazySettings, staff: User) -> None:
    assert signed_in(staff).get("/metrics").status_code == 404
    settings.DEBUG = True
    assert APIClient().get("/metrics").status_code == 200


def test_requests_are_counted_by_route(scrape: Scrape) -> None:
    api = APIClient()
    for code in ("7K9QXT", "AAAAAA", "BBBBBB"):
        api.get(f"/i/{code}/?x=1")
    api.generic("BREW", "/healthz")
    for path in ("/nothing/", "/nowhere/"):
        api.get(path)
    name = "referral_request_seconds_count"
    page = {"method": "GET", "route": "i/<str:code>/", "status": "404"}
    assert scrape.gained(name, **page) == 3
    assert scrape.gained(name, route="healthz", method="other", status="405") == 1
    assert scrape.gained(name, route="-", status="404") == 2
    assert scrape.gained("referral_request_seconds_bucket", le="+Inf", **page) == 3


def test_a_sign_in_and_what_was_refused_on_the_way_are_counted(
    scrape: Scrape, alice: User
) -> None:
    api = APIClient()
    code = ask_for_code(api, BORIS)
    api.post("/api/auth/request-code/", {"phone_number": BORIS})
    body = {"phone_number": BORIS, "code": wrong(code)}
    api.post("/api/auth/verify-code/", body)
    body = {"phone_number": BORIS, "code": code}
    api.post("/api/auth/verify-code/", body)
    name = "referral_events_total"
    assert scrape.gained(name, event="code.sent") == 1
    assert scrape.gained(name, event="code.refused", limit="code_resend") == 1
    assert scrape.gained(name, event="code.wrong") == 1
    assert scrape.gained("referral_sms_seconds_count", outcome="accepted") == 1


@pytest.mark.django_db(transaction=True)
def test_new_people_and_activations_are_counted(scrape: Scrape, alice: User) -> None:
    api = APIClient()
    code = ask_for_code(api, BORIS)
    body = {"phone_number": BORIS, "code": code, "invite_code": alice.invite_code}
    api.post("/api/auth/verify-code/", body)
    code = ask_for_code(api, ALICE)
    api.post("/api/auth/verify-code/", {"phone_number": ALICE, "code": code})
    name = "referral_events_total"
    assert scrape.gained(name, event="signed_in", is_new_user="true") == 1
    assert scrape.gained(name, event="signed_in", is_new_user="false") == 1
    assert scrape.gained(name, event="invite_code.activated") == 1


def test_a_failing_provider_is_counted(
    scrape: Scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise SmsUnavailable

    monkeypatch.setattr(MemoryBackend, "send", fail)
    APIClient().post("/api/auth/request-code/", {"phone_number": ALICE})
    assert scrape.gained("referral_sms_seconds_count", outcome="failed") == 1
    assert scrape.gained("referral_sms_seconds_count", outcome="accepted") == 0


def test_the_outbox_tells_how_far_behind_it_is(
    scrape: Scrape, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "referral_webhooks" not in scrape.text
    settings.WEBHOOK_URL = "https://receiver.example/"
    now = timezone.now()
    hour = timedelta(hours=1)
    for times in (
        {"created_at": now - hour},
        {"created_at": now},
        {"created_at": now - 3 * hour, "delivered_at": now},
        {"created_at": now - 2 * hour, "given_up_at": now},
    ):
        Event.objects.create(type="user.created", data={}, **times)
    assert scrape.gained("referral_webhooks_waiting") == 2
    assert 3600 <= scrape.gained("referral_webhooks_oldest_seconds") < 3700
    assert scrape.gained("referral_webhooks_given_up") == 1

    def fail(self: EventQuerySet) -> EventQuerySet:
        raise DatabaseError

    monkeypatch.setattr(EventQuerySet, "waiting", fail)
    assert scrape.gained("referral_request_seconds_count", route="metrics") > 0
    assert "referral_webhooks_waiting" not in scrape.text


def test_nothing_personal_is_told(scrape: Scrape, alice: User) -> None:
    code = ask_for_code(APIClient(), ALICE)
    client = signed_in(alice)
    client.get(f"/api/profile/?phone={ALICE}")
    scrape.gained("")
    for secret in (ALICE, ALICE.strip("+"), "+7999", alice.invite_code, f'"{code}"'):
        assert secret not in scrape.text
    assert set(re.findall(r'[{,](\w+)="', scrape.text)) <= {
        "method", "route", "status", "le", "event", "limit", "is_new_user", "outcome",
        "provider", "channel", "country",
    }  # fmt: skip


PROMETHEUS = (  # as Prometheus 2.42 sends it
    "application/openmetrics-text;version=1.0.0,"
    "application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "text/plain; version=0.0.4"),
        ("", "text/plain; version=0.0.4"),
        ("*/*", "text/plain; version=0.0.4"),
        ("text/plain", "text/plain; version=0.0.4"),
        ("text/plain;version=0.0.4", "text/plain; version=0.0.4"),
        ("text/html", "text/plain; version=0.0.4"),
        ("text/plain;version=1.0.0", "text/plain; version=1.0.0"),
        ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0"),
        (PROMETHEUS, "application/openmetrics-text; version=1.0.0"),
    ],
)
def test_any_accept_header_is_answered(
    settings: LazySettings, accept: str | None, kind: str
) -> None:
    settings.METRICS_TOKEN = TOKEN
    settings.WEBHOOK_URL = "https://rewards.example/"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    if accept is not None:
        headers["Accept"] = accept
    response = APIClient().get("/metrics", headers=headers)
    assert response.status_code == 200
    assert response["Content-Type"].startswith(kind)
    text = response.content.decode()
    is_open = kind.startswith("application/")
    assert text.endswith("# EOF\n") is is_open
    parse = parse_openmetrics if is_open else text_string_to_metric_families
    names = {family.name for family in parse(text)}
    assert {"referral_request_seconds", "referral_webhooks_waiting"} <= names


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("accept", ["text/plain", "text/html", "nonsense"])
def test_probes_are_answered_whatever_they_accept(path: str, accept: str) -> None:
    response = APIClient().get(path, headers={"Accept": accept})
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
