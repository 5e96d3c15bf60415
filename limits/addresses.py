"""Which client a request comes from, as far as a server can know."""

import logging
import re
import threading
from ipaddress import (
    IPv4Address,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

logger = logging.getLogger(__name__)

UNKNOWN = "unknown"
# An entry of X-Forwarded-For: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1] or
# [2001:db8::1]:80, perhaps in quotes.
_ENTRY = re.compile(
    r'"?(?:\[(?P<v6>[^\]]+)\](?::\d{1,5})?|(?P<v4>[\d.]+):\d{1,5}|(?P<bare>[^"\[\]]+))"?',
    re.ASCII,
)
# By fault. A lock is held from the first report on, so that a process reports a fault
# only once.
_reported: dict[str, threading.Lock] = {}


def client_address(request: HttpRequest) -> str:
    """The client's address; of IPv6 the /64 network, which one customer has whole.

    X-Forwarded-For is believed only as far as proxies of ours wrote it: with
    TRUSTED_PROXY_COUNT of them, the address is that many places from the right. What
    stands further left is the client's own word.
    """
    text: str = request.META.get("REMOTE_ADDR", "")
    proxies: int = settings.TRUSTED_PROXY_COUNT
    if proxies:
        text = _forwarded(request, proxies) or text
    return customer_address(text)


def keyed_address(address: str) -> str:
    """Stands for an address in the audit trail: the same text for the same address."""
    return salted_hmac("audit.address", address, algorithm="sha256").hexdigest()[:16]


def customer_address(text: str) -> str:
    """As `client_address`, of an address that is written down."""
    address = _parsed(text)
    if address is None:
        return UNKNOWN
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), 64), strict=False))


def network_of(address: str) -> str:
    """The network of an address that `client_address` returned: a /24, of IPv6 a /48.

    Its addresses may belong to one attacker, so they share some limits.
    """
    try:
        network = ip_network(address)
    except ValueError:
        return UNKNOWN
    return str(network.supernet(new_prefix=24 if network.version == 4 else 48))


def isp_of(address: str) -> str | None:
    """The /32 of IPv6 that a network belongs to; None for IPv4.

    It is what a registry gives to an internet provider. Its 65,536 networks may belong
    to one attacker, but also to many customers.
    """
    try:
        network = ip_network(address)
    except ValueError:
        return None
    return str(network.supernet(new_prefix=32)) if network.version == 6 else None


def _forwarded(request: HttpRequest, proxies: int) -> str:
    """The entry that the outermost of our proxies wrote. Empty: there is none."""
    header: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    # RFC 9110, 5.6.1: empty elements of a list do not count. Each of our proxies writes
    # an element, so this never moves on to an entry of the client.
    entries = [entry for part in header.split(",") if (entry := part.strip())]
    if len(entries) < proxies:
        _report("has too few entries")
        return ""
    if _parsed(entries[-proxies]) is None:
        _report("has no IP address where the client's should be")
    return entries[-proxies]


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    entry = _ENTRY.fullmatch(text.strip())
    try:
        return ip_address(entry[entry.lastgroup or 0].strip()) if entry else None
    except ValueError:
        return None


def _report(fault: str) -> None:
    """Once for each fault. The header may contain anything, so it is not logged."""
    lock = _reported.setdefault(fault, threading.Lock())
    if lock.acquire(blocking=False):
        logger.error(
            "X-Forwarded-For %s, so many clients may share one address and its limits."
            " Set TRUSTED_PROXY_COUNT to the number of your proxies, and let each one"
            " append the address that it is asked from.",
            fault,
        )
