"""Whether a message arrived, where its provider tells.

For each message that such a provider accepted, the cache has until the code expires:

- `delivery:<id>`: its channel, backend, country for metrics, the provider's id, and
  the pseudonym of the number.
- `delivery-status:<id>`: `delivered` or `failed`, once that is known.
- `delivery-asked:<id>`: for some seconds, that the provider was asked a moment ago.

The id cannot be guessed. No entry has the code, and of the number only an HMAC.
"""

import logging
import re
import time
from contextlib import suppress
from dataclasses import asdict, dataclass

from django.core.cache import cache
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from config.monitoring.metrics import count_delivery
from config.server.redis_pool import REDIS_FAILS
from config.server.request_queue import note_success, slot_released
from users import number_history
from users.channels import Backend, Channel, CodeMessage, DeliveryStatus
from users.channels.countries import country_label
from users.channels.exceptions import DeliveryUnknown
from users.channels.http import NoAnswer, NotSent

logger = logging.getLogger(__name__)

ASK_SECONDS = 4  # at least, between two questions about one message
ANSWER_SECONDS = 2  # at most: a person or an app waits


@dataclass(frozen=True, slots=True)
class Delivery:
    id: str
    channel: Channel
    by: str  # dotted path of the backend
    provider_id: str
    country: str
    sent_at: float  # seconds since the epoch
    expires_at: float
    # The pseudonym of the phone number. Empty: sent by the version before this one.
    number: str = ""

    @property
    def status(self) -> DeliveryStatus:
        known = cache.get(_status_key(self.id))
        return DeliveryStatus(known) if known else DeliveryStatus.SENT

    @property
    def seconds_left(self) -> int:
        return max(int(self.expires_at - time.time()), 1)


def id_of(message: CodeMessage) -> str:
    """The same for each attempt at one message."""
    mac = salted_hmac("users.channels.deliveries", message.key, algorithm="sha256")
    return mac.hexdigest()[:32]


def record(
    message: CodeMessage, *, channel: Channel, by: str, provider_id: str
) -> str | None:
    """Returns the id of the record, or None if the cache does not answer."""
    delivery = Delivery(
        id=id_of(message),
        channel=channel,
        by=by,
        provider_id=provider_id,
        country=country_label(message.phone_number),
        sent_at=time.time(),
        expires_at=message.expires_at,
        number=message.phone_number.pseudonym,
    )
    with suppress(*REDIS_FAILS):
        _ask_later(delivery)  # right after sending nobody knows
        cache.set(_key(delivery.id), asdict(delivery), delivery.seconds_left)
        return delivery.id
    return None


def get(delivery_id: str) -> Delivery:
    """Raises DeliveryUnknown."""
    is_id = re.fullmatch(r"[0-9a-f]{32}", delivery_id)
    facts = cache.get(_key(delivery_id)) if is_id else None
    if not facts:
        raise DeliveryUnknown
    return Delivery(**facts | {"channel": Channel(facts["channel"])})


def ask(delivery: Delivery) -> DeliveryStatus:
    """Its status, after asking the provider if that is due.

    Takes ANSWER_SECONDS at most, and raises nothing if the provider does not tell.
    """
    status = delivery.status
    if status != DeliveryStatus.SENT or not _ask_later(delivery):
        return status
    backend: Backend = import_string(delivery.by)()
    try:
        note_success()
        with slot_released():
            found = backend.ask_status(delivery.provider_id, seconds=ANSWER_SECONDS)
    except (NotSent, NoAnswer) as error:
        name = delivery.by.rpartition(".")[2]
        logger.warning("%s does not tell about a delivery: %s", name, error)
        return status
    update(delivery, found)
    return delivery.status


def update(delivery: Delivery, status: DeliveryStatus | None) -> None:
    """Store a status that the provider reports. Repeated reports change nothing.

    A message that arrived after all is delivered.
    """
    if status in (None, DeliveryStatus.SENT):
        return
    key, seconds = _status_key(delivery.id), delivery.seconds_left
    if cache.add(key, str(status), seconds):
        count_delivery(
            provider=delivery.by.rpartition(".")[2],
            channel=delivery.channel,
            country=delivery.country,
            status=str(status),
        )
    elif status == delivery.status or status != DeliveryStatus.DELIVERED:
        return
    else:
        cache.set(key, str(status), seconds)
    if delivery.number:
        arrived = status == DeliveryStatus.DELIVERED
        event = number_history.DELIVERED if arrived else number_history.NOT_DELIVERED
        number_history.record(delivery.number, event, delivery.channel)


def _ask_later(delivery: Delivery) -> bool:
    """Whether the provider may be asked now. If so, notes when it may be asked next.

    The older the message is, the longer: a last code lives for hours.
    """
    age = time.time() - delivery.sent_at
    wait = max(ASK_SECONDS, int(age / 4))
    return bool(cache.add(f"delivery-asked:{delivery.id}", 1, wait))


def _key(delivery_id: str) -> str:
    return f"delivery:{delivery_id}"


def _status_key(delivery_id: str) -> str:
    return f"delivery-status:{delivery_id}"
