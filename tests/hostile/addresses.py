"""Addresses that may not be asked: internal ones behind literals, odd spellings, names, redirects and feeds.

`publisher.example` stands at an address that these cases take for public; `tests.hostile.names` says which.
"""

from storage.outcomes import Outcome
from tests.hostile.case import Case, Kept, page_case
from tests.integration.bad_answers import GOOD, redirect
from tests.integration.bad_server import answer

REFUSED = Outcome.BLOCKED_ADDRESS


def _target(name: str, host: str, outcome: Outcome = REFUSED, reason: str | None = "internal_address") -> Case:
    return page_case(
        f"address: {name}",
        f"is asked for at {host}",
        GOOD,
        outcome,
        reason,
        Kept.NOTHING,
        target=f"http://{host}:_PORT/page",
        guarded=True,
        later=False,
    )


def _led(name: str, location: str, reason: str = "internal_address", outcome: Outcome = REFUSED) -> Case:
    kept = Kept.NOTHING if outcome is REFUSED else Kept.HEADERS
    return page_case(
        f"redirect to {name}",
        f"leads to {location.replace(':_PORT', '')}",
        redirect(location),
        outcome,
        reason,
        kept,
        target="http://publisher.example:_PORT/page",
        answers={"/secret": GOOD},
        guarded=True,
        later=False,
    )


ADDRESSES = [
    _target("loopback", "127.0.0.1"),
    _target("localhost", "localhost"),
    _target("localhost with a dot", "localhost."),
    _target("short", "127.1"),
    _target("hexadecimal", "0x7f.1"),
    _target("one number", "2130706433"),
    _target("octal", "017700000001"),
    _target("wide digits", "１２７.0.0.1"),
    _target("percent-encoded", "%31%32%37.0.0.1"),
    _target("nothing", "0.0.0.0"),
    _target("IPv6 loopback", "[::1]"),
    _target("IPv6 nothing", "[::]"),
    _target("mapped", "[::ffff:127.0.0.1]"),
    _target("mapped in hexadecimal", "[::ffff:7f00:1]"),
    _target("6to4 around loopback", "[2002:7f00:1::1]"),
    _target("NAT64 around a private address", "[64:ff9b::10.0.0.1]"),
    _target("private", "10.0.0.1"),
    _target("a provider's own", "100.64.0.1"),
    _target("link-local metadata", "169.254.169.254"),
    _target("multicast", "224.0.0.1"),
    _target("broadcast", "255.255.255.255"),
    _target("a name with an internal address", "inner.example"),
    _target("an unknown name", "unknown.example", Outcome.NETWORK_ERROR, "dns"),
    page_case(
        "address: a name with both",
        "has a public and an internal address",
        GOOD,
        Outcome.CREATED,
        None,
        Kept.ARTICLE,
        target="http://mixed.example:_PORT/page",
        guarded=True,
        later=False,
    ),
    page_case(
        "address: user and password",
        "is asked for with a password, which is not sent",
        GOOD,
        Outcome.CREATED,
        None,
        Kept.ARTICLE,
        target="http://user:secret@publisher.example:_PORT/page",
        guarded=True,
        later=False,
    ),
    _led("an internal address", "http://127.0.0.1:_PORT/secret"),
    _led("an internal name", "http://inner.example:_PORT/secret"),
    _led("an odd spelling", "http://0x7f.1:_PORT/secret"),
    _led("metadata", "http://169.254.169.254/latest/meta-data/"),
    _led("an internal mail server", "http://127.0.0.1:25/", "port"),
    page_case(
        "meta refresh to an internal address",
        "leads to 127.0.0.1 by markup",
        answer(b'<html><head><meta http-equiv="refresh" content="0; url=http://127.0.0.1:_PORT/secret"></head></html>'),
        REFUSED,
        "internal_address",
        Kept.NOTHING,
        target="http://publisher.example:_PORT/page",
        answers={"/secret": GOOD},
        guarded=True,
        later=False,
    ),
    page_case(
        "a name that changes its address",
        "is public at its first look-up and internal at the next",
        GOOD,
        REFUSED,
        "internal_address",
        Kept.NOTHING,
        target="http://rebinding.example:_PORT/page",
        guarded=True,
        later=False,
    ),
]
