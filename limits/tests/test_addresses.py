import pytest
from django.conf import LazySettings
from django.test import RequestFactory

from limits.addresses import client_address, network_of


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", "192.0.2.1"),
        (0, "198.51.100.7", "192.0.2.1"),  # anybody can write this
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (2, "203.0.113.9, 198.51.100.7, 192.0.2.9", "198.51.100.7"),
        (2, "198.51.100.7", "192.0.2.1"),  # not through both proxies
        (1, "", "unknown"),
        (1, "nonsense", "unknown"),
        (1, "198.51.100.7\r\nX: y", "unknown"),
        (1, " 198.51.100.7 ", "198.51.100.7"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        (1, "::1", "::/64"),
        (1, "::ffff:198.51.100.7", "198.51.100.7"),
    ],
)
def test_the_address_of_the_client(
    rf: RequestFactory,
    settings: LazySettings,
    proxies: int,
    forwarded: str,
    address: str,
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    request = rf.get(
        "/", REMOTE_ADDR="192.0.2.1", headers={"x-forwarded-for": forwarded}
    )
    assert client_address(request) == address


def test_a_thousand_forged_headers_are_one_client(rf: RequestFactory) -> None:
    addresses = {
        client_address(rf.get("/", headers={"x-forwarded-for": f"10.0.{n // 250}.{n}"}))
        for n in range(1000)
    }
    assert len(addresses) == 1


def test_a_thousand_addresses_of_one_customer_are_one_client(
    rf: RequestFactory,
) -> None:
    addresses = {
        client_address(rf.get("/", REMOTE_ADDR=f"2001:db8::{n:x}")) for n in range(1000)
    }
    assert addresses == {"2001:db8::/64"}


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.0/24"),
        ("2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("unknown", "unknown"),
    ],
)
def test_the_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network
