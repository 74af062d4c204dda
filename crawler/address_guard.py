"""Refuses connections to internal addresses, at the one place that every connection passes: where its socket is made.

By then names are looked up and addresses in any spelling are read, also for each hop of a redirect; the socket is made
for just the address that it is then connected to. So what is refused here cannot be reached.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]
"""An address as `socket.getaddrinfo` describes it: family, kind, protocol, canonical name, (host, port, …)."""

_INTERNET = frozenset({socket.AF_INET, socket.AF_INET6})

_BAD_PORTS = frozenset(
    {
        *(1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104),
        *(109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515),
        *(526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049),
        *(3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
    }
)
"""Ports of other protocols, to which no browser speaks HTTP (Fetch standard, "bad port"): a page's link to one could
make us send a request to a mail server that takes it for commands."""

_UNICAST = ipaddress.IPv6Network("2000::/3")
"""The only part of IPv6 that is given out for hosts on the internet."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",  # protocol assignments; which of them Python calls private differs by its version
            "192.88.99.0/24",  # relays of 6to4, given up (RFC 7526)
            "100.64.0.0/10",  # providers' own networks (RFC 6598)
            "2001::/23",  # protocol assignments, Teredo among them
            "2001:db8::/32",
            "3fff::/20",  # documentation (RFC 9637), newer than some Pythons
            "5f00::/16",  # segment routing (RFC 9602)
        ),
    )
)


def port_refused(url: str) -> bool:
    """Whether a URL names a port of another protocol."""
    return urlsplit(url).port in _BAD_PORTS


def is_public(address: str) -> bool:
    """Whether an IP address literal is one that anybody on the internet may be served from.

    An IPv6 address that only wraps one of IPv4 (mapped, 6to4, NAT64) is as public as the one inside. One with a zone
    belongs to a link.
    """
    if "%" in address:
        return False
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inside = _wrapped(ip)
        if inside is not None:
            return is_public(str(inside))
        if ip not in _UNICAST:
            return False
    if any(ip.version == network.version and ip in network for network in _NOT_PUBLIC):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _wrapped(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour


class AddressRefused(OSError):
    """A connection to an internal address was not made."""


def guarded_socket(*, allow_private: bool) -> Callable[[AddressInfo], socket.socket]:
    """Return what makes the socket of each connection, given the address (of `socket.getaddrinfo`) that it goes to.

    It raises `AddressRefused` for internal addresses unless they are allowed. A name that has others too is reached at
    its public ones, for each address of a name is tried by a socket of its own.
    """

    def make(address: AddressInfo) -> socket.socket:
        family, kind, protocol, _, where = address
        if not allow_private and not (family in _INTERNET and is_public(str(where[0]))):
            raise AddressRefused("internal address")
        return socket.socket(family=family, type=kind, proto=protocol)

    return make
