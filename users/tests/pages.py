"""What tests of pages share."""

import re
from typing import Any

from django.test import Client

from users.channels.memory import Message


def text(response: Any) -> str:
    """The page as people read it, without markup and line breaks."""
    body = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", body)


def numbers(response: Any) -> set[str]:
    """The phone numbers of people who came, in E.164."""
    found = re.findall(r"\+7 999 100-\d\d-\d\d", response.content.decode())
    return {re.sub(r"[ -]", "", number) for number in found}


def digits(outbox: list[Message]) -> str:
    found = re.search(r"\d{4,8}", outbox[-1].text)
    assert found
    return found[0]


def sign_in(client: Client, phone_number: str, outbox: list[Message]) -> Any:
    client.post("/login/", {"phone_number": phone_number})
    return client.post("/login/code/", {"code": digits(outbox)}, follow=True)
