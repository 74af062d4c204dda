"""Refuses connections to internal addresses, at the one place that every connection passes: name resolution.

Twisted asks its resolver for names and for literal addresses in any spelling, also for each hop of a redirect, and
connects to just the addresses that the resolver passes on. So what is dropped here cannot be reached.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver, IResolutionReceiver
from zope.interface import implementer

_REMEMBERED_REFUSALS = 10_000

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


@implementer(IResolutionReceiver)
class _PublicOnly:
    """Passes on the public addresses of one resolution; a name that has others too is reached at its public ones."""

    def __init__(self, receiver: Any, name: str, guard: "AddressGuard") -> None:
        self._receiver = receiver
        self._name = name
        self._guard = guard
        self._passed = self._refused = False

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802 - Twisted's interface
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:  # noqa: N802 - Twisted's interface
        host = getattr(address, "host", None)
        if self._guard.allow_private or (
            isinstance(address, IPv4Address | IPv6Address) and host is not None and is_public(host)
        ):
            self._passed = True
            self._receiver.addressResolved(address)
        else:
            self._refused = True

    def resolutionComplete(self) -> None:  # noqa: N802 - Twisted's interface
        # What the last answer said counts: a name that is unknown now was not refused.
        self._guard.note(self._name, refused=self._refused and not self._passed)
        self._receiver.resolutionComplete()


@implementer(IHostnameResolver)
class AddressGuard:
    """A resolver around the reactor's own that drops internal addresses, and remembers for which names it did."""

    def __init__(self, *, allow_private: bool) -> None:
        self.allow_private = allow_private
        self._inner: Any = None
        self._refused: dict[str, None] = {}

    def install(self, reactor: Any) -> None:
        """Stand in front of the reactor's resolver; a guard that stood there before is replaced."""
        current = reactor.nameResolver
        self._inner = current._inner if isinstance(current, AddressGuard) else current
        reactor.installNameResolver(self)

    # The parameter names are looked up by keyword in Twisted.
    def resolveHostName(  # noqa: N802 - Twisted's interface
        self,
        resolutionReceiver: Any,  # noqa: N803 - Twisted's interface
        hostName: str,  # noqa: N803 - Twisted's interface
        portNumber: int = 0,  # noqa: N803 - Twisted's interface
        addressTypes: Sequence[type] | None = None,  # noqa: N803 - Twisted's interface
        transportSemantics: str = "TCP",  # noqa: N803 - Twisted's interface
    ) -> Any:
        receiver = _PublicOnly(resolutionReceiver, hostName, self)
        return self._inner.resolveHostName(receiver, hostName, portNumber, addressTypes, transportSemantics)

    def note(self, name: str, *, refused: bool) -> None:
        """Note whether all addresses of `name` were refused."""
        self._refused.pop(name.lower(), None)
        if refused:
            self._refused[name.lower()] = None
        if len(self._refused) > _REMEMBERED_REFUSALS:
            self._refused.pop(next(iter(self._refused)))

    def was_refused(self, url: str) -> bool:
        """Whether this URL's host had, when it was last looked up, internal addresses and no others."""
        return (urlsplit(url).hostname or "").lower() in self._refused
