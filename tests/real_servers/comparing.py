"""Every page of the site at one server, crawled by morgue and fetched by curl."""

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.bad_server import make_authority
from tests.real_servers import morgue_with_names, pages
from tests.real_servers.apache import Apache
from tests.real_servers.archived import USER_AGENT, Crawled, crawl
from tests.real_servers.caddy import Caddy
from tests.real_servers.certificates import ADDRESSES, NAMES, Certificate, make_certificate
from tests.real_servers.curl import Answer, Asked, Fields, fetch
from tests.real_servers.lighttpd import Lighttpd
from tests.real_servers.nginx import Nginx
from tests.real_servers.node import Node
from tests.real_servers.pages import Framing, page_path
from tests.real_servers.server import RealServer, Running, has_ipv6, running
from tests.real_servers.uvicorn_server import Uvicorn, UvicornH11

SERVERS: tuple[type[RealServer], ...] = (Nginx, Apache, Caddy, Lighttpd, Node, Uvicorn, UvicornH11)

WITH_NAMES = Path(morgue_with_names.__file__)

VALIDATED = (pages.ETAG, pages.DATED, pages.COUNTED)
SENT_BY_CURL = frozenset({"host", "connection", "te"})
"""Fields of a request that each client writes for itself."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the site at one server."""

    framing: Framing
    size: str
    tls: bool

    @property
    def path(self) -> str:
        """Where it stands."""
        return page_path(self.framing, self.size)

    def __str__(self) -> str:
        return f"{'TLS' if self.tls else 'plain'}-{self.framing.name}-{self.size}"


def pages_of(server: type[RealServer]) -> list[Page]:
    """Return the pages of a server, each plain and over TLS; those that moved to https are asked for plain."""
    return [
        Page(framing=framing, size=size, tls=tls)
        for tls in (False, True)
        for framing in server.framings
        for size in framing.sizes
        if not (tls and framing is pages.MOVED)
    ]


@dataclass(kw_only=True, repr=False)
class Compared:
    """A server, and what both clients got from it.

    `seen` are curl's answers by URL, `crawled` what the first crawl left and `again` the second. `known` are curl's
    answers to conditional requests with the validators of the first crawl's records. `connections` are the client's
    ports of morgue's requests for the many pages, plain and over TLS, in their order.
    """

    server: Running
    crawled: Crawled
    again: Crawled
    seen: dict[str, Answer | str] = field(default_factory=dict)
    known: dict[str, Answer | str] = field(default_factory=dict)
    connections: list[int] = field(default_factory=list)

    def url(self, page: Page) -> str:
        """Return a page's URL."""
        return self.server.url(page.path, tls=page.tls)

    def curl(self, url: str) -> Answer:
        """Return what curl got. Raises `LookupError` where it got nothing."""
        answer = self.seen[url]
        if isinstance(answer, Answer):
            return answer
        raise LookupError(answer)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What all servers share: the site, and certificates of an authority that nobody else trusts."""

    folder: Path
    site: Path
    trusted: Path
    certificates: dict[str, Certificate]


def make_stage(folder: Path) -> Stage:
    """Write the site and make the certificates."""
    folder.chmod(0o755)
    site = folder / "site"
    pages.write_site(site)
    authority = make_authority(folder)
    certificates = {"": make_certificate(folder, authority, "localhost", also=ADDRESSES)}
    certificates |= {name: make_certificate(folder, authority, name) for name in NAMES}
    return Stage(folder=folder, site=site, trusted=authority.file, certificates=certificates)


@contextmanager
def compared(server: type[RealServer], stage: Stage) -> Iterator[Compared]:
    """Run a server, crawl all its pages, look at the validated ones again, and fetch the same with curl.

    Raises `ServerMissing` and `CurlMissing`.
    """
    folder = stage.folder / server.name.replace(" ", "-").lower()
    with running(server(), folder, site=stage.site, certificates=stage.certificates) as started:
        listed = pages_of(server)
        addresses_of_names = dict.fromkeys(NAMES, ADDRESSES[0])
        urls = [started.url(page.path, tls=page.tls) for page in listed]
        many = [started.url(path, tls=tls) for tls in (False, True) for path in pages.many_paths()]
        others = [started.url(page_path(pages.CHUNKED, "2 KB"), tls=tls, host="::1") for tls in (False, True)]
        others = others if has_ipv6() else []
        own = folder / "morgue"
        crawled = crawl(own, [*many, *urls, *others], trusting=stage.trusted)
        connections = _connections(started)
        named = [
            started.url(page_path(pages.CHUNKED, "2 KB"), tls=True, host=name) for name in NAMES if server.has_names
        ]
        validated = [url for url, page in zip(urls, listed, strict=True) if page.framing in VALIDATED]
        again = crawl(
            own,
            [*validated, *named],
            trusting=stage.trusted,
            program=(sys.executable, WITH_NAMES),
            settings={morgue_with_names.NAMES: json.dumps(addresses_of_names)},
        )
        sent = _request_fields(crawled)
        landed = [started.url(page.path, tls=True) for page in listed if page.framing is pages.MOVED]
        asked = [Asked(url=url, fields=sent) for url in [*urls, *many, *others, *landed, *named]]
        answers = fetch(asked, folder / "curl", trusting=stage.trusted, names=addresses_of_names)
        seen = {each.url: answer for each, answer in zip(asked, answers, strict=True)}
        conditional = [Asked(url=url, fields=(*sent, *_conditions(seen[url]))) for url in validated]
        answers = fetch(conditional, folder / "curl-known", trusting=stage.trusted)
        known = {each.url: answer for each, answer in zip(conditional, answers, strict=True)}
        yield Compared(server=started, crawled=crawled, again=again, seen=seen, known=known, connections=connections)


def _connections(started: Running) -> list[int]:
    """Return the client's ports of morgue's requests for the many pages, plain and over TLS, in their order."""
    paths = set(pages.many_paths())
    return [
        request.client_port
        for request in started.requests()
        if request.path in paths and request.user_agent == USER_AGENT
    ]


def _request_fields(crawled: Crawled) -> Fields:
    """Return the header fields that morgue asks with, so that curl asks with the same."""
    for record in crawled.records.values():
        return tuple(
            (name, value)
            for name, value in record.request_fields
            if name.lower() not in SENT_BY_CURL and not name.lower().startswith("if-")
        )
    return ()


def _conditions(answer: Answer | str) -> Fields:
    if isinstance(answer, str):
        return ()
    found = {"If-None-Match": answer.header("ETag"), "If-Modified-Since": answer.header("Last-Modified")}
    return tuple((name, value) for name, value in found.items() if value is not None)


def digest(body: bytes) -> str:
    """Return the length of a body and a digest: a difference of megabytes cannot be read."""
    return f"{len(body)} bytes, sha256 {hashlib.sha256(body).hexdigest()}"


# Header fields

_OF_THE_TRANSFER = frozenset({"transfer-encoding", "content-length"})
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive"})
_OF_THE_MOMENT = frozenset({"date", "keep-alive", "expires", "age"})


def as_sent(fields: Iterable[tuple[str, str]]) -> Fields:
    """Return header fields with names, order and repetitions as they were sent.

    Without what tells of the transfer, which is undone, and with a mark in place of what differs by the moment.
    """
    return tuple(
        (name, "…" if name.lower() in _OF_THE_MOMENT else value)
        for name, value in fields
        if name.lower() not in _OF_THE_TRANSFER
    )


def in_any_order(fields: Iterable[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """Return header fields whatever their order and letters, without those of the connection."""
    return Counter((name.lower(), value) for name, value in as_sent(fields) if name.lower() not in _OF_THE_CONNECTION)
