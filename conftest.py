"""The fixed cast and the few verbs that tests share. Alice invites Boris."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import segno
import time_machine
from django.conf import settings
from django.core.cache import cache, caches
from django.http import HttpRequest
from django.test import Client as DjangoClient
from django.utils import translation
from hypothesis import settings as hypothesis_settings
from redis.connection import AbstractConnection
from rest_framework.test import APIClient

from config.server import request_queue
from users.challenges.proof_of_work import ProofOfWork
from users.channels import memory
from users.devices.middleware import bind_session_to_device
from users.devices.token_authentication import issue_token
from users.login.pages import CODE_BACKEND
from users.mail import sending
from users.models import User
from users.phones import PhoneNumber
from users.staff.admin_site import BY_PASSWORD
from users.staff.permissions import issue_staff_token
from users.statistics import daily_counts

# Property tests are about results. A busy machine may take its time.
hypothesis_settings.register_profile("no deadline", deadline=None)
hypothesis_settings.load_profile("no deadline")

ALICE = PhoneNumber("+79990000001")
BORIS = PhoneNumber("+79990000002")
CLARA = PhoneNumber("+79990000003")
STAFF = PhoneNumber("+79990000009")

NOW = "2026-11-21T12:00:00Z"


@pytest.fixture(autouse=True)
def clean_stores() -> Iterator[None]:
    yield
    memory.outbox.clear()
    translation.deactivate()  # a request in Russian leaves its thread so
    clear_cache()


def clear_cache() -> None:
    if settings.REDIS_URL:
        # Not `clear()`, which would flush what test processes beside this one keep.
        cache.delete_pattern("*")  # type: ignore[attr-defined]  # django-redis's own
    else:
        cache.clear()


@pytest.fixture(autouse=True)
def connection_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests do not close it. Django's test client sees to that for its signals."""
    monkeypatch.setattr(request_queue, "close_old_connections", lambda: None)


@pytest.fixture(autouse=True)
def cheap_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Challenges that a test solves in a moment."""
    monkeypatch.setattr(ProofOfWork, "ITERATIONS", 10)


@pytest.fixture(autouse=True)
def cheap_qr_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the search for the best mask: it takes as long as a sign-in."""
    monkeypatch.setattr(segno, "make", partial(segno.make, mask=0))


@pytest.fixture(autouse=True)
def cheap_first_event_of_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first event of a day looks for counts of the 38 days before."""
    monkeypatch.setattr(daily_counts, "KEPT_DAYS", 5)


@pytest.fixture(autouse=True)
def emails_are_sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in a thread, so that a test sees them."""
    monkeypatch.setattr(sending._threads, "submit", lambda call, *args: call(*args))


@pytest.fixture
def redis_cluster(settings: Any) -> None:
    """Split the commands into steps, as a Redis Cluster requires."""
    settings.REDIS_IS_CLUSTER = True


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is sent to Redis from here on; a pipeline counts once."""
    if not settings.REDIS_URL:
        pytest.skip("local memory is not asked")
    if settings.REDIS_IS_CLUSTER:
        pytest.skip("a cluster is asked on several servers")
    sent: list[bytes] = []
    send: Any = AbstractConnection.send_packed_command

    def send_and_count(
        self: AbstractConnection, command: list[bytes], **options: bool
    ) -> None:
        sent.append(b"".join(command))
        send(self, command, **options)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", send_and_count)
    return sent


@pytest.fixture
def outbox() -> list[memory.Message]:
    return memory.outbox


@pytest.fixture
def api() -> APIClient:
    return APIClient()


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user(ALICE)


@pytest.fixture
def boris(db: None) -> User:
    return User.objects.create_user(BORIS)


@pytest.fixture
def clara(db: None) -> User:
    return User.objects.create_user(CLARA)


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser(STAFF, "a long password")


@pytest.fixture
def admin(client: DjangoClient, staff: User) -> DjangoClient:
    """A superuser before the admin site."""
    open_session(client, staff, backend=BY_PASSWORD)
    return client


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What goes to the audit trail."""
    said: list[dict[str, Any]] = []

    def record(event: str, **facts: Any) -> None:
        said.append({"event": event, **facts})

    monkeypatch.setattr("config.monitoring.audit.record", record)
    return said


def open_session(client: DjangoClient, user: User, backend: str = CODE_BACKEND) -> None:
    """Sign the browser in. A session without a device would be signed out at once."""
    client.force_login(user, backend=backend)
    request = HttpRequest()
    request.session = client.session
    device, _ = issue_token(user=user, user_agent="")
    bind_session_to_device(request, device)
    request.session.save()


def signed_in(user: User) -> APIClient:
    _, secret = issue_token(user=user, user_agent="test")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


def signed_in_as_staff(user: User) -> APIClient:
    client = APIClient()
    secret = issue_staff_token(user=user, days=30)
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


def ask_for_code(client: APIClient, phone_number: str, **body: Any) -> str:
    """The digits of the code that was sent."""
    body = {"phone_number": phone_number, **body}
    response = client.post("/api/auth/request-code/", body)
    assert response.status_code == 200, response.json()
    code: str = response.json()["dev_code"]
    return code


def error_of(response: Any) -> dict[str, Any]:
    """The one error of a refusal, whose shape is checked on the way."""
    body = response.json()
    assert set(body) == {"type", "errors"}
    assert len(body["errors"]) == 1
    error: dict[str, Any] = body["errors"][0]
    assert {"code", "detail", "attr"} <= set(error)
    return error


@pytest.fixture
def clock() -> Iterator["Clock"]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield Clock(traveller.shift)


class Clock:
    """Time that stands still until told to pass, in Python and in Redis alike."""

    def __init__(self, shift: Callable[[float], None]) -> None:
        self._shift = shift

    def pass_seconds(self, seconds: float) -> None:
        self._shift(seconds)
        if settings.REDIS_URL:
            self._age_redis_keys(seconds)

    def _age_redis_keys(self, seconds: float) -> None:
        redis: Any = cache
        for key in list(redis.iter_keys("*")):  # `keys` asks one node of a cluster
            left = redis.pttl(key) - int(seconds * 1000)
            if left > 0:
                redis.pexpire(key, left)
            else:
                cache.delete(key)


PAUSE_SECONDS = 0.002


def then_pause(act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Do it, then let the other threads go: what can come in between, does."""
    result = act(*args, **kwargs)
    time.sleep(PAUSE_SECONDS)
    return result


@pytest.fixture
def pauses_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = type(caches["default"])
    for name in ("get", "set", "add", "incr", "delete"):
        monkeypatch.setattr(backend, name, paused(getattr(backend, name)))


def paused(call: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return then_pause(call, self, *args, **kwargs)

    return method
