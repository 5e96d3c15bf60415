"""The name of a device is readable, whatever its User-Agent is written in."""

import pytest
from django.test import Client

from conftest import ALICE
from users.channels.memory import Message
from users.models import Device
from users.tests.pages import digits
from users.user_agents import readable

UTF8 = "Приложение/1.0".encode().decode("latin-1")  # as WSGI gives it


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("curl/8.1", "curl/8.1"),
        (UTF8, "Приложение/1.0"),
        ("%D0%9F%D1%80%D0%B8/1 CFNetwork/1", "При/1 CFNetwork/1"),
        ("Caf\xe9/1", "Café/1"),
        ("100% fun %zz %ff", "100% fun %zz %ff"),
        ("a%0d%0aSet-Cookie: b", "aSet-Cookie: b"),
        ("a\x00\x1b[2Jb", "a[2Jb"),
        ("%E2%80%AEmoc.live", "moc.live"),
        ("\u202eабв".encode().decode("latin-1"), "абв"),
        ("Приложение", "Приложение"),
    ],
)
def test_a_user_agent_is_readable(sent: str, shown: str) -> None:
    assert readable(sent) == shown


@pytest.mark.django_db
def test_devices_list_shows_it(client: Client, outbox: list[Message]) -> None:
    client.post("/login/", {"phone_number": ALICE}, headers={"User-Agent": UTF8})
    code = {"code": digits(outbox)}
    client.post("/login/code/", code, headers={"User-Agent": UTF8})
    assert Device.objects.get().user_agent == "Приложение/1.0"
    assert "Приложение/1.0" in client.get("/profile/devices/").content.decode()
