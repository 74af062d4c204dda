"""Names of our own, and a loopback address that is taken for public, so that guards are tried without a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from crawler import address_guard, dns

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

    def __init__(self, inner: dns.Resolver) -> None:
        self._inner = inner
        self._asked: dict[str, int] = {}

    async def addresses(self, name: str) -> list[str]:
        """Answer with the addresses of a name."""
        answers = NAMES.get(name)
        if answers is None:
            return await self._inner.addresses(name)
        number = self._asked[name] = self._asked.get(name, 0) + 1
        addresses = answers[min(number, len(answers)) - 1]
        if not addresses:
            raise dns.NameNotFound(name)
        return addresses

    async def close(self) -> None:
        """Close what else is asked."""
        await self._inner.close()


@contextmanager
def names_of_our_own() -> Iterator[None]:
    """Let `publisher.example` and its like be found, and 127.0.0.2 be taken for an address of the internet."""
    really_public, usual = address_guard.is_public, dns.make_resolver
    with (
        mock.patch.object(dns, "make_resolver", lambda: Names(usual())),
        mock.patch.object(address_guard, "is_public", lambda ip: ip == PUBLIC or really_public(ip)),
    ):
        yield
