"""The kill switch for all sending: `manage.py sending stop`."""

from django.core.cache import cache

from limits.command_types import Switch
from limits.slots import SERVICE, beside

# Key: one for the service. Value: 1. TTL: none.
SENDING_STOPPED = Switch(
    name="sending_stopped", key=beside(SERVICE, "sms-sending-stopped")
)


def stop_sending() -> None:
    """No SMS to anybody until `start_sending`."""
    cache.set(SENDING_STOPPED.key, 1, None)


def start_sending() -> None:
    cache.delete(SENDING_STOPPED.key)


def is_sending_stopped() -> bool:
    return bool(cache.get(SENDING_STOPPED.key))
