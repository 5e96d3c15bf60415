"""Staff look at events and press one button."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from conftest import open_session
from users.models import User
from users.staff.admin_site import BY_PASSWORD
from webhooks.models import Event

LIST = "/admin/webhooks/event/"


def opened_by(user: User) -> Client:
    client = Client()
    open_session(client, user, backend=BY_PASSWORD)
    return client


def press_retry(client: Client, *events: Event) -> str:
    body = {"action": "retry", "_selected_action": [str(e.pk) for e in events]}
    return client.post(LIST, body, follow=True).content.decode()


@pytest.fixture
def given_up(db: None) -> Event:
    return Event.objects.create(
        type="user.created", data={}, attempts=99, given_up_at=timezone.now()
    )


def test_the_list_tells_the_state_of_each(staff: User, given_up: Event) -> None:
    Event.objects.create(type="user.created", data={})
    Event.objects.create(type="user.created", data={}, delivered_at=timezone.now())
    page = opened_by(staff).get(LIST).content.decode()
    for state in ("waiting", "delivered", "given up"):
        assert f'<td class="field-state">{state}</td>' in page


def test_an_event_that_was_given_up_can_be_sent_again(
    staff: User, given_up: Event
) -> None:
    delivered = Event.objects.create(
        type="user.created", data={}, delivered_at=timezone.now()
    )
    page = press_retry(opened_by(staff), given_up, delivered)
    assert "1 event will be sent again." in page
    assert Event.objects.due().get() == given_up


def test_nobody_writes_events_by_hand(staff: User, given_up: Event) -> None:
    client = opened_by(staff)
    assert client.get(f"{LIST}{given_up.pk}/change/").status_code == 200
    assert client.post(f"{LIST}{given_up.pk}/change/", {}).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403
    assert (
        client.post(f"{LIST}{given_up.pk}/delete/", {"post": "yes"}).status_code == 403
    )


def test_the_view_permission_does_not_allow_retries(
    alice: User, given_up: Event
) -> None:
    alice.is_staff = True
    alice.save(update_fields=["is_staff"])
    alice.user_permissions.add(Permission.objects.get(codename="view_event"))
    client = opened_by(alice)
    assert client.get(LIST).status_code == 200
    press_retry(client, given_up)
    assert not Event.objects.due().exists()
