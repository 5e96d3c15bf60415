"""What a worker sends, how often, and what it makes of the answers."""

import logging
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import OperationalError, transaction
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from conftest import Clock, open_session
from tests.project.test_races import start_together
from users.models import User
from users.staff.admin_site import BY_PASSWORD
from webhooks import courier, services
from webhooks.courier import Courier
from webhooks.management.commands import deliver_webhooks
from webhooks.models import Endpoint, Event
from webhooks.services import Failure, record_event
from webhooks.tests.conftest import OTHER_SECRET, SECRET, Receiver

pytestmark = pytest.mark.django_db


def an_event(**data: Any) -> Event:
    with transaction.atomic():
        record_event(type="user.created", data=data)
    return Event.objects.latest("created_at")


def deliver() -> None:
    call_command("deliver_webhooks", "--once")


def test_an_event_is_posted_signed_and_done(receiver: Receiver) -> None:
    event = an_event(user_id=7)
    deliver()
    deliver()
    assert receiver.events == [
        {
            "type": "user.created",
            "timestamp": event.created_at.isoformat(),
            "data": {"user_id": 7},
        }
    ]
    headers, _ = receiver.requests[0]
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == str(event.pk)
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    event.refresh_from_db()
    assert event.delivered_at
    assert event.attempts == 1


def test_a_changed_body_id_or_time_is_not_verified(receiver: Receiver) -> None:
    an_event()
    deliver()
    headers, body = receiver.requests[0]
    earlier = str(int(headers["webhook-timestamp"]) - 1)
    for forged, text in [
        (headers, body.replace(b"created", b"deleted")),
        ({**headers, "webhook-id": "other"}, body),
        ({**headers, "webhook-timestamp": earlier}, body),
    ]:
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(text, forged)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER_SECRET).verify(body, headers)


def test_while_secrets_change_each_of_them_signs(
    receiver: Receiver, settings: LazySettings
) -> None:
    settings.WEBHOOK_SECRETS = [OTHER_SECRET, SECRET]
    an_event()
    deliver()
    headers, body = receiver.requests[0]
    for secret in (SECRET, OTHER_SECRET):
        Webhook(secret).verify(body, headers)


@pytest.mark.parametrize("status", [301, 307, 400, 404, 500, 503])
def test_no_2xx_is_no_receipt(receiver: Receiver, status: int) -> None:
    receiver.status = status
    receiver.headers = {"location": f"{receiver.url}/elsewhere"}
    event = an_event()
    deliver()
    event.refresh_from_db()
    assert (event.attempts, event.last_error) == (1, f"status {status}")
    assert event.delivered_at is None
    assert event.due_at > timezone.now()
    assert len(receiver.requests) == 1


def test_the_same_event_comes_again_with_the_same_id_and_body(
    receiver: Receiver, clock: Clock
) -> None:
    receiver.status = 500
    an_event(user_id=7)
    deliver()
    clock.pass_seconds(6)
    receiver.status = 200
    deliver()
    (first, body), (second, again) = receiver.requests
    assert first["webhook-id"] == second["webhook-id"]
    assert body == again
    assert first["webhook-signature"] != second["webhook-signature"]
    assert Webhook(SECRET).verify(again, second)


def test_waits_double_up_to_an_hour_and_are_partly_chance(
    receiver: Receiver, clock: Clock
) -> None:
    event = an_event()
    waits = []
    for _ in range(14):
        services.note_failure(event, Failure("status 500"))
        event.refresh_from_db()
        waits.append((event.due_at - timezone.now()).total_seconds())
    for attempt, wait in enumerate(waits):
        longest = min(5 * 2**attempt, 3600)
        assert longest / 2 <= wait <= longest
    assert len({round(wait) for wait in waits[-4:]}) > 1


def test_an_answer_that_drips_is_a_failure_in_time(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "SEND_SECONDS", 0.3)
    receiver.open.clear()
    event = an_event()
    start = time.monotonic()
    deliver()
    assert time.monotonic() - start < 5
    event.refresh_from_db()
    assert event.last_error in {"TimeoutError", "ReadTimeout"}


def test_nobody_listening_is_a_failure(settings: LazySettings) -> None:
    settings.WEBHOOK_URL = "http://127.0.0.1:9/"
    settings.WEBHOOK_SECRETS = [SECRET]
    event = an_event()
    deliver()
    event.refresh_from_db()
    assert event.last_error == "ConnectError"


def test_the_body_of_an_answer_is_not_read(receiver: Receiver) -> None:
    receiver.status = 200
    receiver.headers = {"content-length": "1000000000"}
    receiver.body = b"x" * 1000  # and nothing more, ever
    event = an_event()
    start = time.monotonic()
    deliver()
    assert time.monotonic() - start < 5
    event.refresh_from_db()
    assert event.delivered_at


def test_an_event_that_cannot_be_sent_does_not_stop_the_others(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, others = an_event(poison=True), [an_event(n=n) for n in range(15)]
    post = Courier._post

    async def burst(self: Courier, message: Any) -> Failure | None:
        if "poison" in message.body:
            raise ZeroDivisionError
        return await post(self, message)

    monkeypatch.setattr(Courier, "_post", burst)
    deliver()
    assert len(receiver.events) == len(others)
    poison.refresh_from_db()
    assert poison.last_error == "ZeroDivisionError"
    assert Event.objects.waiting().get() == poison


def test_after_days_an_event_is_given_up_and_kept(
    receiver: Receiver, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 500
    event = an_event()
    Event.objects.update(attempts=services.LEAST_ATTEMPTS - 1)
    deliver()
    event.refresh_from_db()
    assert event.given_up_at is None  # it is young
    clock.pass_seconds(timedelta(days=3, seconds=1).total_seconds())
    deliver()
    event.refresh_from_db()
    assert event.given_up_at == timezone.now()
    errors = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert [r.getMessage() for r in errors] == [
        f"webhook given up: user.created {event.pk} after 13 attempts, status 500"
    ]
    clock.pass_seconds(timedelta(days=1).total_seconds())
    receiver.status = 200
    deliver()
    assert len(receiver.requests) == 2
    call_command("deliver_webhooks", "--retry-dead", stdout=(said := StringIO()))
    assert said.getvalue() == "1 events will be sent again.\n"
    deliver()
    event.refresh_from_db()
    assert event.delivered_at
    assert len(receiver.requests) == 3


def test_an_event_of_days_without_a_worker_has_more_than_one_chance(
    receiver: Receiver, clock: Clock
) -> None:
    receiver.status = 500
    event = an_event()
    clock.pass_seconds(timedelta(days=4).total_seconds())
    deliver()
    event.refresh_from_db()
    assert event.given_up_at is None


def test_delivered_events_go_after_a_week(
    receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "PRUNED_AT_ONCE", 2)
    for n in range(5):
        an_event(n=n)
    deliver()
    clock.pass_seconds(timedelta(days=7).total_seconds())
    deliver()
    assert Event.objects.count() == 5
    receiver.status = 500
    waiting = an_event()
    clock.pass_seconds(1)
    deliver()
    assert Event.objects.get() == waiting


def test_a_claimed_event_is_sent_by_no_other_worker(
    receiver: Receiver, clock: Clock
) -> None:
    event = an_event()
    assert services.claim(10) == [event]
    assert services.claim(10) == []
    services.retry(Event.objects.all())  # nor when staff press a button
    assert services.claim(10) == []
    clock.pass_seconds(services.SEND_SECONDS)
    assert services.claim(10) == []
    clock.pass_seconds(services.CLAIM.total_seconds())
    assert services.claim(10) == [event]


def test_a_worker_that_was_away_does_not_free_what_another_sends(
    receiver: Receiver, clock: Clock
) -> None:
    an_event()
    (late,) = services.claim(10)
    clock.pass_seconds(services.CLAIM.total_seconds())
    (current,) = services.claim(10)
    services.note_failure(late, Failure("TimeoutError"))
    clock.pass_seconds(services.FIRST_WAIT_SECONDS)
    assert services.claim(10) == []
    services.note_delivery(current)
    assert not Event.objects.waiting().exists()


@pytest.mark.django_db(transaction=True)
def test_one_of_several_workers_gets_an_event(receiver: Receiver) -> None:
    events = [an_event(n=n) for n in range(30)]
    claimed = [
        e for batch in start_together(10, lambda i: services.claim(6)) for e in batch
    ]
    assert len(claimed) == len(set(claimed)) <= len(events)
    rest = services.claim(100)
    assert {*claimed, *rest} == set(events)
    assert len(claimed) + len(rest) == len(events)


@pytest.mark.django_db(transaction=True)
def test_a_burst_is_sent_side_by_side_and_without_a_transaction(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Courier.send

    def watched(self: Courier, messages: Any) -> Any:
        assert not transaction.get_connection().in_atomic_block
        return send(self, messages)

    monkeypatch.setattr(Courier, "send", watched)
    for n in range(25):
        an_event(n=n)
    deliver()
    assert sorted(event["data"]["n"] for event in receiver.events) == list(range(25))


class StopAfter(deliver_webhooks.Stop):
    def __init__(self, rounds: int) -> None:
        self.left = rounds

    @property
    def asked(self) -> bool:  # type: ignore[override]  # counted, not set
        self.left -= 1
        return self.left < 0


@pytest.mark.django_db(transaction=True)
def test_a_worker_waits_for_the_database_to_come_back(
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    an_event()
    claim = services.claim
    naps: list[float] = []

    def fail_once(number: int) -> list[Event]:
        monkeypatch.setattr(services, "claim", claim)
        raise OperationalError

    monkeypatch.setattr(services, "claim", fail_once)
    monkeypatch.setattr("time.sleep", naps.append)
    with Courier() as post:
        deliver_webhooks.deliver_until(StopAfter(3), post)
    assert len(receiver.events) == 1
    assert naps == [
        deliver_webhooks.OUTAGE_SECONDS,
        deliver_webhooks.IDLE_SECONDS,
        deliver_webhooks.IDLE_SECONDS,
    ]
    assert "webhooks wait for the database: OperationalError" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_mistake_of_ours_ends_the_worker(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(number: int) -> list[Event]:
        raise ZeroDivisionError

    monkeypatch.setattr(services, "claim", fail)
    with Courier() as post, pytest.raises(ZeroDivisionError):
        deliver_webhooks.deliver_until(StopAfter(1), post)


def test_without_a_url_there_is_nothing_to_deliver(
    caplog: pytest.LogCaptureFixture,
) -> None:
    deliver()
    assert "WEBHOOK_URL is not set" in caplog.text


def test_the_client_does_not_log_the_address_of_a_receiver(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """It may contain a secret of the receiver's."""
    with caplog.at_level(logging.INFO):
        an_event()
        deliver()
    assert len(receiver.requests) == 1
    assert receiver.url not in caplog.text


@pytest.mark.parametrize("status", [429, 503, 502, 400])
@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("Sat, 21 Nov 2026 12:10:00 GMT", 600),
        ("Saturday, 21-Nov-26 12:10:00 GMT", 600),
        ("999999999999999999999999", 24 * 3600),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 24 * 3600),
    ],
)
def test_the_receiver_names_the_time_of_the_next_attempt(
    receiver: Receiver, clock: Clock, asked: str, seconds: int, status: int
) -> None:
    """For all events: a receiver that is busy gets none meanwhile."""
    receiver.status, receiver.headers = status, {"retry-after": asked}
    an_event()
    deliver()
    an_event()
    clock.pass_seconds(seconds - 1)
    deliver()
    assert len(receiver.requests) == 1
    receiver.status = 204
    clock.pass_seconds(1)
    deliver()
    assert len(receiver.requests) == 3
    assert not Event.objects.waiting().exists()


@pytest.mark.parametrize(
    "asked",
    ["soon", "", "-5", "1.5", "٣", "Sat, 21 Nov 2020 12:00:00 GMT", "Sat, 99 Nov 2026"],
)
def test_no_sound_retry_after_is_none(
    receiver: Receiver, clock: Clock, asked: str
) -> None:
    receiver.status = 503
    receiver.headers = {"retry-after": asked.encode().decode("latin-1")}
    an_event()
    deliver()
    clock.pass_seconds(5)
    deliver()
    assert len(receiver.requests) == 2


def test_retry_after_of_a_success_is_ignored(receiver: Receiver) -> None:
    receiver.headers = {"retry-after": "600"}
    for _ in range(2):
        an_event()
        deliver()
    assert len(receiver.requests) == 2


@pytest.mark.parametrize("way", ["command", "admin", "another URL"])
def test_410_stops_all_sending_until_somebody_resumes(
    receiver: Receiver,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    settings: LazySettings,
    staff: User,
    way: str,
) -> None:
    Event.objects.all().delete()  # of the superuser's account
    receiver.status = 410
    first, second = an_event(), an_event()
    deliver()
    assert len(receiver.requests) == 2  # they were sent together
    receiver.status = 204
    clock.pass_seconds(timedelta(days=5).total_seconds())
    deliver()
    an_event()
    deliver()
    assert len(receiver.requests) == 2
    assert Event.objects.waiting().count() == 3
    errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert [text for text in errors if "webhooks stopped" in text] == errors
    assert len(errors) == 1
    admin = Client()  # the session of five days ago is over
    open_session(admin, staff, backend=BY_PASSWORD)
    admin.get("/admin/")
    assert "receiver answered 410" in admin.get("/admin/webhooks/event/").text
    if way == "command":
        call_command("deliver_webhooks", "--resume", stdout=(said := StringIO()))
        assert said.getvalue() == "Sending goes on.\n"
    elif way == "admin":
        form = {"action": "retry", "_selected_action": [first.pk, second.pk]}
        admin.post("/admin/webhooks/event/", form)
    else:
        settings.WEBHOOK_URL = f"{receiver.url}/new"
    deliver()
    assert not Event.objects.waiting().exists()
    assert "receiver answered 410" not in admin.get("/admin/webhooks/event/").text


@pytest.mark.parametrize("way", ["command", "another URL"])
def test_whoever_resumes_does_not_wait_for_the_time_that_the_receiver_named(
    receiver: Receiver, clock: Clock, settings: LazySettings, way: str
) -> None:
    receiver.status, receiver.headers = 503, {"retry-after": "86400"}
    an_event()
    deliver()
    clock.pass_seconds(services.FIRST_WAIT_SECONDS)
    receiver.status = 204
    deliver()
    assert len(receiver.requests) == 1
    if way == "command":
        for said in ("Sending goes on.\n", "Sending was not stopped.\n"):
            call_command("deliver_webhooks", "--resume", stdout=(out := StringIO()))
            assert out.getvalue() == said
    else:
        settings.WEBHOOK_URL = f"{receiver.url}/new"
    deliver()
    assert not Event.objects.waiting().exists()


@pytest.mark.parametrize("hours", [(2, 1), (1, 2)])
def test_of_two_times_that_the_receiver_named_the_later_counts(
    receiver: Receiver, clock: Clock, hours: tuple[int, int]
) -> None:
    """Several workers get answers at the same time."""
    an_event(n=1)
    an_event(n=2)
    answers = [Failure("status 503", retry_after=timedelta(hours=h)) for h in hours]
    claimed = [services.claim(1), services.claim(1)]
    for events, answer in zip(claimed, answers, strict=True):
        services.note_results(events, [answer])
    paused_until = Endpoint.objects.get().paused_until
    assert paused_until == timezone.now() + timedelta(hours=2)


def test_a_stopped_receiver_is_in_the_metrics(
    receiver: Receiver, client: Client, settings: LazySettings
) -> None:
    settings.METRICS_TOKEN = "t" * 20
    token = {"authorization": f"Bearer {settings.METRICS_TOKEN}"}
    name = "referral_webhooks_stopped"
    assert f"{name} 0.0" in client.get("/metrics", headers=token).text
    receiver.status = 410
    an_event()
    deliver()
    assert f"{name} 1.0" in client.get("/metrics", headers=token).text
