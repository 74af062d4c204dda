# ruff: noqa: N802 - the names of methods are Twisted's
"""Names of our own, and a loopback address that is taken for public, so that guards are tried without a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from crawler import address_guard, reactor

PUBLIC, INNER = "127.0.0.2", "127.0.0.1"
NAMES = {
    "publisher.example": [[PUBLIC]],
    "inner.example": [[INNER]],
    "mixed.example": [[INNER, PUBLIC]],
    "unknown.example": [[]],
    "rebinding.example": [[PUBLIC], [INNER]],
}
"""The answers to each look-up in turn; the last one stays."""


class Names:
    """A resolver that answers for these names, and asks another for all the rest."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._asked: dict[str, int] = {}

    def resolveHostName(
        self, receiver: Any, name: str, port: int = 0, types: Any = None, transport: str = "TCP"
    ) -> Any:
        """Answer as `IHostnameResolver` says."""
        answers = NAMES.get(name)
        if answers is None:
            return self._inner.resolveHostName(receiver, name, port, types, transport)
        from twisted.internet.address import IPv4Address

        number = self._asked[name] = self._asked.get(name, 0) + 1
        receiver.resolutionBegan(self)
        for address in answers[min(number, len(answers)) - 1]:
            receiver.addressResolved(IPv4Address("TCP", address, port))
        receiver.resolutionComplete()
        return self

    def cancel(self) -> None:
        """There is nothing to cancel: answers come at once."""


@contextmanager
def names_of_our_own() -> Iterator[None]:
    """Let `publisher.example` and its like be found, and 127.0.0.2 be taken for an address of the internet."""
    reactor.event_loop()
    from twisted.internet import reactor as installed

    really_public = address_guard.is_public
    usual: Any = installed.nameResolver
    usual = usual._inner if isinstance(usual, address_guard.AddressGuard) else usual
    installed.installNameResolver(Names(usual))
    try:
        with mock.patch.object(address_guard, "is_public", lambda ip: ip == PUBLIC or really_public(ip)):
            yield
    finally:
        installed.installNameResolver(usual)
