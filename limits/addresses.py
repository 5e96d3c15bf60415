"""Which client a request comes from, as far as a server can know."""

from ipaddress import IPv4Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

UNKNOWN = "unknown"


def client_address(request: HttpRequest) -> str:
    """The client's address; of IPv6 the /64 network, which one customer has whole.

    X-Forwarded-For is believed only as far as proxies of ours wrote it: with
    TRUSTED_PROXY_COUNT of them, the address is that many places from the right. What
    stands further left is the client's own word.
    """
    text: str = request.META.get("REMOTE_ADDR", "")
    proxies: int = settings.TRUSTED_PROXY_COUNT
    if proxies:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(forwarded) >= proxies:
            text = forwarded[-proxies]
    return customer_address(text.strip())


def keyed_address(address: str) -> str:
    """Stands for an address in the audit trail: the same text for the same address."""
    return salted_hmac("audit.address", address, algorithm="sha256").hexdigest()[:16]


def customer_address(text: str) -> str:
    """As `client_address`, of an address that is written down."""
    try:
        address = ip_address(text)
    except ValueError:
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
