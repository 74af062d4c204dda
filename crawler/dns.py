"""Looks names up without a thread that waits: a name server that never answers keeps nobody else waiting.

By c-ares (through aiodns): /etc/hosts first, then the name servers of /etc/resolv.conf. Other sources of names that the
operating system may have (mDNS, LDAP) are not asked.
"""

import socket
from collections.abc import Sequence
from functools import partial
from typing import Protocol

import aiodns

SECONDS = 1.0
TRIES = 4
"""A name server that answered quickly before is first waited for some 0.25 seconds only, and then each time twice as
long: with four tries a name that takes three seconds is still found, as it is by an operating system's own resolver."""

_NO_SUCH_NAME = frozenset({aiodns.error.ARES_ENOTFOUND, aiodns.error.ARES_ENODATA})


class NameNotFound(Exception):
    """A name has no address, or no name server says so in time."""


class Resolver(Protocol):
    """Tells the addresses of names."""

    async def addresses(self, name: str) -> list[str]:
        """Return the addresses of a name, the preferred first, at least one. Raises `NameNotFound`."""

    async def close(self) -> None:
        """Ask nothing more."""


class DnsResolver:
    """Asks the name servers that this machine is set up for, or other ones (`address` or `address:port`).

    `seconds` is how long a name server may take at first of which nothing is known yet (c-ares makes it shorter for one
    that answers quickly), and `tries` how often each is asked, waiting twice as long each time.
    """

    def __init__(self, *, servers: Sequence[str] | None = None, seconds: float = SECONDS, tries: int = TRIES) -> None:
        self._make_channel = partial(aiodns.DNSResolver, servers, timeout=seconds, tries=tries)
        self._channel: aiodns.DNSResolver | None = None

    async def addresses(self, name: str) -> list[str]:
        """Return the addresses of a name, IPv6 and IPv4. Raises `NameNotFound`."""
        if self._channel is None:
            self._channel = self._make_channel()
        channel = self._channel
        try:
            found = await channel.getaddrinfo(name, family=socket.AF_UNSPEC, type=socket.SOCK_STREAM)
        except aiodns.error.DNSError as problem:
            if problem.args[0] not in _NO_SUCH_NAME and self._channel is channel:
                # The machine may have other name servers by now: the next question reads anew which.
                self._channel = None
            raise NameNotFound(f"{name}: {problem.args[-1]}") from problem
        addresses = [_text(node.addr[0]) for node in found.nodes]
        if not addresses:
            raise NameNotFound(f"{name}: no address")
        return list(dict.fromkeys(addresses))

    async def close(self) -> None:
        """Ask nothing more."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = None


def _text(address: bytes | str) -> str:
    return address.decode("ascii") if isinstance(address, bytes) else address


def make_resolver() -> Resolver:
    """Return what looks names up for a crawl."""
    return DnsResolver()
