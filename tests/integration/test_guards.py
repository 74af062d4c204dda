"""What we send, and to whom: seen by the servers themselves."""

import re
import socket
import ssl

import pytest

from storage.outcomes import Outcome
from tests.integration.bad_answers import GOOD, PAGE, head, redirect
from tests.integration.bad_server import (
    BadServer,
    answer,
    bad_server,
    make_authority,
    server_context,
    then_silence,
)
from tests.integration.crawls import USER_AGENT


@pytest.fixture
def backend() -> str:
    """What is sent does not depend on the kind of database."""
    return "sqlite"


def fields(head: bytes) -> dict[str, str]:
    """Return the header fields of a request; each may come once only."""
    lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")[1:]
    pairs = [line.split(": ", 1) for line in lines]
    assert len({name.lower() for name, _ in pairs}) == len(pairs)
    return dict(pairs)


def usual(server: BadServer) -> dict[str, str]:
    return {
        "Host": f"127.0.0.1:{server.port}",
        "User-Agent": USER_AGENT,
        "Accept": "text/html,application/xhtml+xml,application/rss+xml;q=0.9,application/atom+xml;q=0.9,"
        "application/xml;q=0.8,*/*;q=0.5",
        "Accept-Encoding": "gzip, deflate, br, zstd",
    }


def test_every_request_carries_the_same_fields_and_no_others(morgue, server):
    server.scripts |= {
        "/robots.txt": answer(b"", "Set-Cookie: robots=1; Path=/"),
        "/page": answer(b"", "Set-Cookie: seen=1; Path=/", "Location: /story", status="302 Found"),
        "/story": answer(PAGE, "Set-Cookie: read=1; Path=/", "Link: </style.css>; rel=preload"),
    }
    assert morgue.crawl(server.url("/page")).outcomes == {"created": 1}
    assert server.asked == ["/robots.txt", "/page", "/story"]
    for request in server.heads:
        assert request.startswith(b"GET ")
        assert b" HTTP/1.1\r\n" in request
        assert fields(request) == usual(server)


def test_validators_are_echoed_byte_for_byte_and_nothing_else_is_added(morgue, server):
    etag, modified = "W/\"\xf8\xe5 'odd'\"", "Tue, 24 Nov 2026 10:00:00 +0000"
    server.scripts["/page"] = answer(PAGE, f"ETag: {etag}", f"Last-Modified: {modified}", "Set-Cookie: a=b")
    for _ in range(2):
        morgue.crawl(server.url("/page"), recrawl=True)
    conditional = {"If-None-Match": etag, "If-Modified-Since": modified}
    assert fields(server.heads[-1]) == usual(server) | conditional


def test_user_and_password_are_not_sent(morgue, server):
    server.scripts["/page"] = redirect(f"http://boss:secret@127.0.0.1:{server.port}/story")
    server.scripts["/story"] = GOOD
    morgue.crawl(f"http://user:secret@127.0.0.1:{server.port}/page")
    assert server.asked[-2:] == ["/page", "/story"]
    assert all(fields(head) == usual(server) for head in server.heads)
    assert not [fetch for fetch in morgue.fetches() if "secret" in fetch.url or "secret" in (fetch.location or "")]


def test_proxies_of_the_environment_are_not_used(morgue, server, monkeypatch):
    server.scripts["/page"] = GOOD
    with bad_server() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}/")
        assert morgue.crawl(server.url("/page")).outcomes == {"created": 1}
        assert proxy.heads == []


def test_only_http_1_is_spoken_over_tls(morgue, tmp_path, monkeypatch):
    authority = make_authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    context = server_context(tmp_path, authority)
    context.set_alpn_protocols(["h2", "http/1.1"])
    spoken = []

    def hello(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        spoken.append(name)

    context.sni_callback = hello
    with bad_server(context) as server:
        server.scripts["/page"] = GOOD
        assert morgue.crawl(server.url("/page")).outcomes == {"created": 1}
        assert all(re.match(rb"GET /\S+ HTTP/1\.1\r\n", head) for head in server.heads)
        assert spoken == [None] * len(server.heads)  # an address has no name to be indicated


def test_tls_that_ends_without_a_farewell_tears_what_has_no_end(morgue, tmp_path, monkeypatch):
    """As many servers end it after a whole page too, only the missing end of the document tells."""
    authority = make_authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with bad_server(server_context(tmp_path, authority)) as server:
        without_length = head("Content-Type: text/html")
        server.scripts |= {"/whole": without_length + PAGE, "/torn": without_length + PAGE[:-200]}
        report = morgue.crawl(server.url("/whole"), server.url("/torn"))
    found = {result.url: (result.outcome, result.reason) for result in report.named}
    assert found == {
        server.url("/whole"): (Outcome.CREATED, None),
        server.url("/torn"): (Outcome.NETWORK_ERROR, "short_body"),
    }


def test_a_host_that_takes_no_connection_is_given_up(morgue):
    morgue.crawl_settings = morgue.crawl_settings.model_copy(update={"timeout_seconds": 2.0})
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for client in (first, second):  # whoever comes after them is kept waiting by the system
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        report = morgue.crawl(f"http://127.0.0.1:{full.getsockname()[1]}/page")
    assert [(result.outcome, result.reason) for result in report.named] == [(Outcome.TIMEOUT, "connect")]


@pytest.mark.parametrize("pieces", [1, 7], ids=["one chunk", "many chunks"])
def test_a_chunked_answer_ends_with_its_last_chunk_on_a_connection_that_stays_open(morgue, server, pieces):
    size = len(PAGE) // pieces + 1
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in _parts(PAGE, size))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.scripts["/page"] = then_silence(head + chunks + b"0\r\n\r\n")
    assert morgue.crawl(server.url("/page")).outcomes == {"created": 1}


def _parts(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]
