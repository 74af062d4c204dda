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


def is_public(address: str) -> bool:
    """Whether an IP address literal is one that anybody on the internet may be served from."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_global and not ip.is_multicast


@implementer(IResolutionReceiver)
class _PublicOnly:
    """Passes on the public addresses of one resolution."""

    def __init__(self, receiver: Any, name: str, guard: "AddressGuard") -> None:
        self._receiver = receiver
        self._name = name
        self._guard = guard

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802 - Twisted's interface
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:  # noqa: N802 - Twisted's interface
        host = getattr(address, "host", None)
        if self._guard.allow_private or (
            isinstance(address, IPv4Address | IPv6Address) and host is not None and is_public(host)
        ):
            self._receiver.addressResolved(address)
        else:
            self._guard.remember(self._name)

    def resolutionComplete(self) -> None:  # noqa: N802 - Twisted's interface
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

    def remember(self, name: str) -> None:
        """Note that an address of `name` was refused."""
        self._refused[name.lower()] = None
        if len(self._refused) > _REMEMBERED_REFUSALS:
            self._refused.pop(next(iter(self._refused)))

    def was_refused(self, url: str) -> bool:
        """Whether an address of this URL's host was refused."""
        return (urlsplit(url).hostname or "").lower() in self._refused
