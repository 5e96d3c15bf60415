"""What the pages for codes say of a message that arrived, or did not."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from config.server.redis_pool import REDIS_FAILS
from users.channels import Channel, DeliveryStatus, deliveries
from users.channels.exceptions import DeliveryUnknown

CALLS = {Channel.CALL, Channel.VOICE}


@dataclass(frozen=True, slots=True)
class DeliveryNotice:
    """`text` is shown now; a script shows one of the others when it learns more."""

    id: str
    text: str
    delivered: str
    failed: str


def delivery_notice(
    delivery_id: str | None, channels: Sequence[str]
) -> DeliveryNotice | None:
    """None if the provider does not report whether messages arrive.

    `channels` are those that can be asked for next.
    """
    if delivery_id is None:
        return None
    try:
        delivery = deliveries.get(delivery_id)
        status = deliveries.ask(delivery)
    except (DeliveryUnknown, *REDIS_FAILS):
        return None
    delivered = _arrived(delivery.channel)
    failed = _did_not_arrive(delivery.channel, channels)
    texts = {DeliveryStatus.DELIVERED: delivered, DeliveryStatus.FAILED: failed}
    return DeliveryNotice(delivery_id, texts.get(status, ""), delivered, failed)


def _arrived(channel: str | None) -> str:
    if channel in CALLS:
        return _("The call has reached the phone.")
    return _("The code has been delivered.")


def _did_not_arrive(channel: str | None, channels: Sequence[str]) -> str:
    """With another of the channels that can be asked for, if there is one."""
    if channel in CALLS:
        if Channel.SMS in channels:
            return _("The call could not be made. Ask for an SMS.")
        return _("The call could not be made. Check the number, and try again.")
    if CALLS & set(channels):
        return _("The code could not be delivered. Try a call.")
    if channel != Channel.SMS and Channel.SMS in channels:
        return _("The code could not be delivered. Ask for an SMS.")
    return _("The code could not be delivered. Check the number, and try again.")
