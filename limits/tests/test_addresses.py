import pytest
from django.conf import LazySettings
from django.test import RequestFactory

from limits import addresses
from limits.addresses import client_address, isp_of, network_of

FAULTS = {
    "": "too few entries",
    " , ": "too few entries",
    "unknown": "no IP address",
    "198.51.100.7:http": "no IP address",
}


@pytest.fixture(autouse=True)
def nothing_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_reported", {})


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", "192.0.2.1"),
        (0, "198.51.100.7", "192.0.2.1"),  # anybody can write this
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (2, "203.0.113.9, 198.51.100.7, 192.0.2.9", "198.51.100.7"),
        (2, "198.51.100.7", "192.0.2.1"),  # not through both proxies
        (1, "", "192.0.2.1"),
        (1, "nonsense", "unknown"),
        (1, "198.51.100.7\r\nX: y", "unknown"),
        (1, " 198.51.100.7 ", "198.51.100.7"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        (1, "::1", "::/64"),
        (1, "::ffff:198.51.100.7", "198.51.100.7"),
        (1, "198.51.100.7:52314", "198.51.100.7"),
        (1, "[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
        (1, "[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        (1, "fe80::1%eth0", "fe80::/64"),
        (1, "[fe80::1%eth0]:443", "fe80::/64"),
        (1, "[::ffff:198.51.100.7]:443", "198.51.100.7"),
        (1, '"198.51.100.7"', "198.51.100.7"),
        (1, '"[2001:db8:1:2::1]:443"', "2001:db8:1:2::/64"),
        (1, "198.51.100.7,", "198.51.100.7"),
        (1, "203.0.113.9, 198.51.100.7 , ", "198.51.100.7"),
        (2, "203.0.113.9, 198.51.100.7, 192.0.2.9,", "198.51.100.7"),
        (2, "203.0.113.9, 198.51.100.7:1, [2001:db8::9]:2", "198.51.100.7"),
        # Whatever a client sends in front of its own address does not count.
        (1, "203.0.113.9,, ,198.51.100.7", "198.51.100.7"),
        (1, '"203.0.113.9, 198.51.100.7', "198.51.100.7"),
        (1, "[203.0.113.9, 198.51.100.7:80", "198.51.100.7"),
        (1, "198.51.100.7:", "unknown"),
        (1, "198.51.100.7:80:80", "unknown"),
        (1, "198.51.100.7:123456", "unknown"),
        (1, "[198.51.100.7", "unknown"),
        (1, "[2001:db8::1]x", "unknown"),
        (1, "for=198.51.100.7", "unknown"),
        (1, "unix:", "unknown"),
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
    ("address", "network", "isp"),
    [
        ("198.51.100.7", "198.51.100.0/24", None),
        ("2001:db8:1:2::/64", "2001:db8:1::/48", "2001:db8::/32"),
        ("unknown", "unknown", None),
    ],
)
def test_the_network_of_an_address(address: str, network: str, isp: str | None) -> None:
    assert (network_of(address), isp_of(address)) == (network, isp)


@pytest.mark.parametrize("forwarded", FAULTS)
def test_a_header_without_an_address_is_reported_once(
    rf: RequestFactory,
    settings: LazySettings,
    caplog: pytest.LogCaptureFixture,
    forwarded: str,
) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    for _ in range(3):
        client_address(rf.get("/", headers={"x-forwarded-for": forwarded}))
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert FAULTS[forwarded] in record.getMessage()
    assert "Set TRUSTED_PROXY_COUNT" in record.getMessage()


def test_each_fault_is_reported_once(
    rf: RequestFactory, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    for forwarded in ("", "unknown", "", "198.51.100.7:http"):
        client_address(rf.get("/", headers={"x-forwarded-for": forwarded}))
    first, second = (record.getMessage() for record in caplog.records)
    assert "too few entries" in first
    assert "no IP address" in second


def test_the_report_contains_nothing_of_the_header(
    rf: RequestFactory, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TRUSTED_PROXY_COUNT = 2
    client_address(rf.get("/", headers={"x-forwarded-for": "198.51.100.7"}))
    assert len(caplog.records) == 1
    assert "198.51.100.7" not in caplog.text
    assert "127.0.0.1" not in caplog.text


def test_a_sound_header_is_not_reported(
    rf: RequestFactory, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    client_address(rf.get("/", headers={"x-forwarded-for": "x, 198.51.100.7:80,"}))
    settings.TRUSTED_PROXY_COUNT = 0
    client_address(rf.get("/"))
    assert not caplog.records
