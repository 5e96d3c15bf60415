import pytest
from django.test import Client

from conftest import BORIS
from users.channels.memory import Message
from users.tests.pages import sign_in


@pytest.fixture
def boris_browser(client: Client, outbox: list[Message]) -> Client:
    assert sign_in(client, BORIS, outbox).status_code == 200
    return client
