# ruff: noqa: N802 - the names of methods are Twisted's
"""Which addresses and ports may be asked, and what a name leads to."""

import pytest
from twisted.internet.address import IPv4Address, IPv6Address

from crawler.address_guard import AddressGuard, is_public, port_refused

PUBLIC = [
    "8.8.8.8",
    "93.184.216.34",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "169.253.1.1",
    "2606:2800:220:1:248:1893:25c8:1946",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]
INTERNAL = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "127.0.0.1", "127.255.255.254", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("100.64.0.1", "100.127.255.254", "169.254.169.254", "192.0.0.8", "192.0.0.170", "192.0.2.1", "192.88.99.1"),
    *("198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254"),
    *("::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "100::1"),
    *(
        "2002:7f00:1::1",
        "2002:a00:1::",
        "2002:c0a8:101::1",
        "2001::1",
        "2001:0:808:808::1",
        "2001:db8::1",
        "2001:10::1",
    ),
    *("3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "2606::1%eth0", "fec0::1"),
    *("ff02::1", "ff0e::1", "fd00:ec2::254", "4000::1"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_it_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize("address", INTERNAL)
def test_it_is_internal(address):
    assert not is_public(address)


@pytest.mark.parametrize("port", [1, 22, 23, 25, 53, 110, 143, 389, 587, 993, 2049, 5060, 6000, 6667, 10080])
def test_a_port_of_another_protocol(port):
    assert port_refused(f"http://example.org:{port}/")


@pytest.mark.parametrize(
    "url", ["http://example.org/", "https://example.org/", "http://example.org:8080/", "http://[::1]:80/"]
)
def test_a_port_of_the_web(url):
    assert not port_refused(url)


class Names:
    """A resolver that answers from a table."""

    def __init__(self, **addresses: list[str]) -> None:
        self.addresses = {f"{name}.example": found for name, found in addresses.items()}
        self.nameResolver = self

    def installNameResolver(self, resolver):
        self.nameResolver = resolver

    def resolveHostName(self, receiver, name, port=0, types=None, transport="TCP"):
        receiver.resolutionBegan(None)
        for address in self.addresses.get(name, ()):
            kind = IPv6Address if ":" in address else IPv4Address
            receiver.addressResolved(kind("TCP", address, port))
        receiver.resolutionComplete()


class Passed:
    """Takes what a resolution passes on."""

    def __init__(self) -> None:
        self.hosts: list[str] = []

    def resolutionBegan(self, resolution):
        pass

    def addressResolved(self, address):
        self.hosts.append(address.host)

    def resolutionComplete(self):
        pass


def look_up(guard: AddressGuard, name: str) -> list[str]:
    passed = Passed()
    guard.resolveHostName(passed, name)
    return passed.hosts


@pytest.fixture
def names() -> Names:
    return Names(
        public=["8.8.8.8", "2606::1"], inner=["10.0.0.1", "fd00::1"], mixed=["127.0.0.1", "8.8.4.4", "::1"], unknown=[]
    )


def test_only_public_addresses_of_a_name_are_passed_on(names):
    guard = AddressGuard(allow_private=False)
    guard.install(names)
    assert look_up(guard, "public.example") == ["8.8.8.8", "2606::1"]
    assert look_up(guard, "inner.example") == []
    assert look_up(guard, "mixed.example") == ["8.8.4.4"]
    refused = [
        name for name in ("public", "inner", "mixed", "unknown") if guard.was_refused(f"https://{name}.example/")
    ]
    assert refused == ["inner"]


def test_what_a_name_leads_to_now_counts(names):
    guard = AddressGuard(allow_private=False)
    guard.install(names)
    look_up(guard, "inner.example")
    names.addresses["inner.example"] = []
    look_up(guard, "inner.example")
    assert not guard.was_refused("https://INNER.example/")
    names.addresses["inner.example"] = ["8.8.8.8"]
    assert look_up(guard, "inner.example") == ["8.8.8.8"]


def test_whoever_allows_internal_addresses_gets_them(names):
    guard = AddressGuard(allow_private=True)
    guard.install(names)
    assert look_up(guard, "mixed.example") == ["127.0.0.1", "8.8.4.4", "::1"]


def test_a_second_guard_takes_the_place_of_the_first(names):
    AddressGuard(allow_private=True).install(names)
    guard = AddressGuard(allow_private=False)
    guard.install(names)
    assert look_up(guard, "mixed.example") == ["8.8.4.4"]
