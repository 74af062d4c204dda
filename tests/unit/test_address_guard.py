"""Which addresses and ports may be asked, and what a name leads to."""

import socket

import pytest

from crawler.address_guard import AddressRefused, guarded_socket, is_public, port_refused

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


def address(host: str, family: int = socket.AF_INET) -> tuple:
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, 80)


def test_no_socket_is_made_for_an_internal_address():
    make = guarded_socket(allow_private=False)
    for host, family in [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6), ("169.254.169.254", socket.AF_INET)]:
        with pytest.raises(AddressRefused):
            make(address(host, family))
    with pytest.raises(AddressRefused):
        make((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", ("/run/secret",)))


def test_a_socket_is_made_for_a_public_address():
    with guarded_socket(allow_private=False)(address("8.8.8.8")) as made:
        assert made.family == socket.AF_INET


def test_internal_addresses_can_be_allowed():
    with guarded_socket(allow_private=True)(address("127.0.0.1")) as made:
        assert made.family == socket.AF_INET
