"""Whatever a server sends, the page gets an outcome with its reason, and is read well once the server is well again."""

import gzip
import socket
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import brotli
import pytest

from crawler.settings import CrawlSettings
from storage.model import Outcome
from storage.store import Store
from tests.integration.bad_server import (
    Authority,
    BadServer,
    Script,
    answer,
    bad_server,
    drip,
    endless,
    make_authority,
    reset_after,
    server_context,
    silence,
)
from tests.integration.crawls import USER_AGENT, Morgue

MAX_BYTES = 200_000
TIMEOUT_SECONDS = 1.0
PARAGRAPHS = (
    "The lighthouse keeper of Østerholm lit the lamp again on Sunday evening, eleven years after the harbour office "
    "had declared the tower superfluous and taken its lens away.",
    "A glazier from the next village had ground a new lens by hand; it took him four winters, and he was paid in "
    "smoked eel and in the promise that the light would be named after his mother.",
    "The office said that it would not object, “provided that nobody relies on it”, and that the chart would stay as "
    "it is until the next edition is printed in the spring.",
)


def page(paragraphs: tuple[str, ...] = PARAGRAPHS, *, head: str = "", lang: str = "en") -> str:
    """Return an article's page."""
    body = "".join(f"<p>{text}</p>\n" for text in paragraphs)
    return (
        f'<!doctype html><html lang="{lang}"><head>{head}<title>Lamp lit again</title></head><body>'
        f"<article><h1>Lamp lit again</h1>{body}</article></body></html>"
    )


GOOD = answer(page().encode(), content_type="text/html; charset=utf-8")
PAGE = page().encode()


@pytest.fixture
def morgue(sqlite_template: Path, tmp_path: Path) -> Iterator[Morgue]:
    """A morgue with small limits. What pages send does not depend on the kind of database."""
    file = tmp_path / "morgue.db"
    file.write_bytes(sqlite_template.read_bytes())
    settings = CrawlSettings(
        user_agent=USER_AGENT,
        allow_private_addresses=True,
        delay_seconds=0,
        processes=1,
        timeout_seconds=TIMEOUT_SECONDS,
        max_bytes=MAX_BYTES,
        max_redirects=3,
    )
    with Store.open(f"sqlite:///{file}") as store:
        yield Morgue(store=store, folder=tmp_path, crawl_settings=settings)


@pytest.fixture
def server() -> Iterator[BadServer]:
    """A server for what no HTTP server would send."""
    with bad_server() as server:
        yield server


def last_page_fetch(morgue: Morgue, url: str) -> tuple[str, str | None]:
    row = [fetch for fetch in morgue.fetches() if fetch.kind == "page" and fetch.url == url][-1]
    return row.outcome, row.reason


def kept(morgue: Morgue) -> list[str]:
    with morgue.store.reading() as transaction:
        return [stored.capture.url for stored in transaction.captures.all()]


def check_well_again(morgue: Morgue, url: str) -> None:
    report = morgue.crawl(url)
    assert report.outcomes == {"created": 1}
    assert report.failed_targets == []
    assert morgue.article(url).content.body == "\n\n".join(PARAGRAPHS)


@dataclass(frozen=True)
class Case:
    """What a server does, and what the page's row says of it. `keeps` tells whether the answer stays as evidence."""

    script: Script
    outcome: Outcome
    reason: str | None
    keeps: bool = False


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")


def gzipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def redirect(target: str) -> bytes:
    return answer(b"", f"Location: {target}", status="302 Found")


def slowly(at_once: bytes, rest: bytes) -> Script:
    """Return a script whose headers come at once and whose body never ends."""
    dripping = drip(rest, every_seconds=0.05)

    def act(connection: socket.socket) -> None:
        connection.sendall(at_once)
        dripping(connection)

    return act


NOISE = bytes(byte for byte in range(256) if chr(byte) != "<") * 40
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
CASES = {
    # Statuses
    "400": Case(answer(PAGE, status="400 Bad Request"), Outcome.HTTP_ERROR, "status_400"),
    "401": Case(answer(PAGE, status="401 Unauthorized"), Outcome.BLOCKED_STATUS, "status_401", keeps=True),
    "403": Case(answer(PAGE, status="403 Forbidden"), Outcome.BLOCKED_STATUS, "status_403", keeps=True),
    "404": Case(answer(PAGE, status="404 Not Found"), Outcome.MISSING, "not_found", keeps=True),
    "410": Case(answer(PAGE, status="410 Gone"), Outcome.MISSING, "gone", keeps=True),
    "404 of much text": Case(answer(b"x" * 70_000, status="404 Not Found"), Outcome.MISSING, "not_found"),
    "404 that is no gzip": Case(
        answer(PAGE, "Content-Encoding: gzip", status="404 Not Found"), Outcome.MISSING, "not_found"
    ),
    "418": Case(answer(PAGE, status="418 I'm a teapot"), Outcome.HTTP_ERROR, "status_418"),
    "429": Case(answer(PAGE, status="429 Too Many Requests"), Outcome.RATE_LIMITED, "status_429", keeps=True),
    "451": Case(answer(PAGE, status="451 Odd"), Outcome.BLOCKED_STATUS, "status_451", keeps=True),
    "500": Case(answer(PAGE, status="500 Oops"), Outcome.HTTP_ERROR, "status_500"),
    "502": Case(answer(b"", status="502 Bad Gateway"), Outcome.HTTP_ERROR, "status_502"),
    "503": Case(answer(PAGE, "Retry-After: soon", status="503 Busy"), Outcome.RATE_LIMITED, "status_503", keeps=True),
    "999": Case(answer(PAGE, status="999 Denied"), Outcome.HTTP_ERROR, "status_999"),
    "204": Case(head("Connection: close", status="204 No Content"), Outcome.HTTP_ERROR, "status_204"),
    "206": Case(answer(PAGE[:500], status="206 Partial Content"), Outcome.HTTP_ERROR, "status_206"),
    "304 that nobody asked for": Case(
        head("Connection: close", status="304 Not Modified"), Outcome.HTTP_ERROR, "status_304"
    ),
    # Redirects
    "redirect to itself": Case(redirect("/page"), Outcome.HTTP_ERROR, "redirect_loop"),
    "redirect nowhere": Case(answer(b"", status="302 Found"), Outcome.HTTP_ERROR, "redirect_without_location"),
    "redirect to a file": Case(redirect("file:///etc/passwd"), Outcome.HTTP_ERROR, "redirect_scheme"),
    "redirect to a script": Case(redirect("javascript:alert(1)"), Outcome.HTTP_ERROR, "redirect_scheme"),
    "redirect to no host": Case(redirect("http://:80/"), Outcome.HTTP_ERROR, "redirect_malformed"),
    "redirect to a bad port": Case(redirect("http://127.0.0.1:99999/"), Outcome.HTTP_ERROR, "redirect_malformed"),
    "redirect to brackets": Case(redirect("http://[/"), Outcome.HTTP_ERROR, "redirect_malformed"),
    # Time
    "no answer": Case(silence, Outcome.TIMEOUT, "no_response_in_time"),
    "slow headers": Case(drip(GOOD, every_seconds=0.05), Outcome.TIMEOUT, "no_response_in_time"),
    "slow body": Case(slowly(head("Content-Type: text/html"), PAGE), Outcome.TIMEOUT, "no_response_in_time"),
    # Size
    "announced too large": Case(
        head("Content-Type: text/html", "Content-Length: 99999999") + PAGE, Outcome.TOO_LARGE, "body"
    ),
    "endless": Case(endless(head("Content-Type: text/html"), b"<p>more and more</p>" * 500), Outcome.TOO_LARGE, "body"),
    "endless chunks": Case(
        endless(head("Transfer-Encoding: chunked"), b"1000\r\n" + b"x" * 4096 + b"\r\n"), Outcome.TOO_LARGE, "body"
    ),
    "endless headers": Case(
        endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n"), Outcome.TIMEOUT, "no_response_in_time"
    ),
    "one endless header": Case(endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 4096), Outcome.NETWORK_ERROR, "closed"),
    "gzip bomb": Case(answer(gzipped(b"0" * 50_000_000), "Content-Encoding: gzip"), Outcome.TOO_LARGE, "decoded_body"),
    "brotli bomb": Case(
        answer(brotli.compress(b"0" * 50_000_000), "Content-Encoding: br"), Outcome.TOO_LARGE, "decoded_body"
    ),
    "a bomb in a bomb": Case(
        answer(gzipped(gzipped(b"0" * 50_000_000)), "Content-Encoding: gzip, gzip"), Outcome.TOO_LARGE, "decoded_body"
    ),
    # Type
    "PDF by label": Case(answer(PDF, content_type="application/pdf"), Outcome.WRONG_TYPE, "pdf"),
    "PDF called HTML": Case(answer(PDF), Outcome.WRONG_TYPE, "pdf"),
    "image by label": Case(answer(b"??", content_type="image/webp"), Outcome.WRONG_TYPE, "image"),
    "image called HTML": Case(answer(PNG), Outcome.WRONG_TYPE, "image"),
    "JSON": Case(answer(b'{"a": 1}', content_type="application/json"), Outcome.WRONG_TYPE, "json"),
    "video": Case(answer(b"\0\0\0\x18ftypmp42", content_type="video/mp4"), Outcome.WRONG_TYPE, "media"),
    "bytes of nothing known": Case(
        answer(NOISE, content_type="application/octet-stream"), Outcome.WRONG_TYPE, "unknown"
    ),
    "noise called HTML": Case(answer(NOISE), Outcome.WRONG_TYPE, "binary"),
    "a label of nonsense": Case(answer(b"?", content_type="a/b/\x1b[31m"), Outcome.WRONG_TYPE, "unknown"),
    # Emptiness
    "empty": Case(answer(b""), Outcome.NOT_ARTICLE, "empty"),
    "empty and gzipped": Case(answer(gzipped(b""), "Content-Encoding: gzip"), Outcome.NOT_ARTICLE, "empty"),
    "white space": Case(answer(b" \n\t \n" * 50), Outcome.NOT_ARTICLE, "empty"),
    "only a comment": Case(answer(b"<!-- nothing yet -->"), Outcome.NOT_ARTICLE, "empty"),
    "only a byte order mark": Case(answer(b"\xef\xbb\xbf"), Outcome.NOT_ARTICLE, "empty"),
    "deep nesting": Case(answer(b"<div>" * 30_000), Outcome.NOT_ARTICLE, "empty"),
    "an XML document": Case(answer(b"<a><b/></a>", content_type="text/xml"), Outcome.NOT_ARTICLE, "empty"),
    # Content codings
    "no gzip at all": Case(answer(PAGE, "Content-Encoding: gzip"), Outcome.NETWORK_ERROR, "bad_encoding"),
    "truncated gzip": Case(answer(gzipped(PAGE)[:-200], "Content-Encoding: gzip"), Outcome.NETWORK_ERROR, "truncated"),
    "gzip without its end": Case(
        answer(gzipped(PAGE)[:-8], "Content-Encoding: gzip"), Outcome.NETWORK_ERROR, "truncated"
    ),
    "gzip with a wrong sum": Case(
        answer(gzipped(PAGE)[:-8] + bytes(8), "Content-Encoding: gzip"), Outcome.NETWORK_ERROR, "bad_encoding"
    ),
    "truncated deflate": Case(
        answer(zlib.compress(PAGE)[:-100], "Content-Encoding: deflate"), Outcome.NETWORK_ERROR, "truncated"
    ),
    "truncated brotli": Case(
        answer(brotli.compress(PAGE)[:-50], "Content-Encoding: br"), Outcome.NETWORK_ERROR, "truncated"
    ),
    "a coding nobody asked for": Case(answer(PAGE, "Content-Encoding: zstd"), Outcome.NETWORK_ERROR, "bad_encoding"),
    # Torn and malformed answers
    "closed without a word": Case(b"", Outcome.NETWORK_ERROR, "closed"),
    "reset without a word": Case(reset_after(b""), Outcome.NETWORK_ERROR, "reset"),
    "closed in the headers": Case(b"HTTP/1.1 200 OK\r\nContent-Ty", Outcome.NETWORK_ERROR, "closed"),
    "reset in the headers": Case(reset_after(b"HTTP/1.1 200 OK\r\nContent-Ty"), Outcome.NETWORK_ERROR, "reset"),
    "closed in the body": Case(GOOD[:-300], Outcome.NETWORK_ERROR, "short_body"),
    "reset in the body": Case(reset_after(GOOD[:-300]), Outcome.NETWORK_ERROR, "short_body"),
    "chunks without an end": Case(
        head("Transfer-Encoding: chunked") + b"ff\r\n" + PAGE[:255] + b"\r\n", Outcome.NETWORK_ERROR, "short_body"
    ),
    "malformed chunks": Case(
        head("Transfer-Encoding: chunked") + b"zz\r\nhello\r\n", Outcome.NETWORK_ERROR, "malformed_response"
    ),
    "no HTTP": Case(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Outcome.NETWORK_ERROR, "malformed_response"),
    "no HTTP and no lines": Case(NOISE, Outcome.NETWORK_ERROR, "malformed_response"),
    "a status that is no number": Case(b"HTTP/1.1 fine thanks\r\n\r\n", Outcome.NETWORK_ERROR, "malformed_response"),
    "two lengths": Case(
        head("Content-Length: 5", "Content-Length: 7") + b"hello..", Outcome.NETWORK_ERROR, "malformed_response"
    ),
    "a length that is no number": Case(
        head("Content-Length: many") + b"hello", Outcome.NETWORK_ERROR, "malformed_response"
    ),
    "a header name that is none": Case(answer(PAGE, "X-\xe9: 1"), Outcome.NETWORK_ERROR, "malformed_response"),
    "a negative length": Case(head("Content-Length: -5") + b"hello", Outcome.NETWORK_ERROR, "malformed_response"),
}
WELL_READ = {
    "a wrong label": answer(page().encode(), content_type="text/html; charset=iso-8859-1"),
    "a label that is no encoding": answer(page().encode(), content_type="text/html; charset=klingon"),
    "a label of nothing": answer(page().encode(), content_type="text/html; charset="),
    "a wrong label in the markup": answer(page(head='<meta charset="shift_jis">').encode()),
    "UTF-16 with its mark": answer(page().encode("utf-16")),
    "UTF-16 called UTF-8": answer(page().encode("utf-16"), content_type="text/html; charset=utf-8"),
    "UTF-8 with a mark": answer(page().encode("utf-8-sig")),
    "cp1252 called UTF-8": answer(page().encode("cp1252"), content_type="text/html; charset=utf-8"),
    "cp1252 called Latin-1": answer(page().encode("cp1252"), content_type="text/html; charset=iso-8859-1"),
    "cp1252 by its header only": answer(page().encode("cp1252"), content_type="text/html; charset=windows-1252"),
    "gzip with rubbish behind": answer(gzipped(PAGE) + b"\0" * 100, "Content-Encoding: gzip"),
    "a coding that is none": answer(PAGE, "Content-Encoding: utf-8"),
    "raw deflate": answer(zlib.compress(PAGE)[2:-4], "Content-Encoding: deflate"),
    "no content type": head("Connection: close") + PAGE,
    "a content type of nonsense": answer(PAGE, content_type="hello there"),
    "headers of nonsense": answer(PAGE, "X: \xff\x01", "ETag: \xe9\xe9", "Set-Cookie: a=b; Path=\x7f"),
    "HTTP/1.0 without a length": b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE,
    "a length that is too short": head("Content-Type: text/html", f"Content-Length: {len(PAGE)}") + PAGE + b"more",
    "a plain-text label": answer(PAGE, content_type="text/plain"),
    "NUL bytes": answer(PAGE.replace(b"<p>", b"<p>\0")),
    "a status without a phrase": GOOD.replace(b" OK", b"", 1),
}
JAPANESE = (
    "小樽市の灯台守は日曜日の夜、十一年ぶりに灯をともした。港湾事務所が不要だとしてレンズを外してから、塔は暗いままだった。",
    "隣村の硝子職人が新しいレンズを手で磨き上げるのに四度の冬を要した。報酬は鰊の燻製と、灯に母の名を付けるという約束だった。",
    "事務所は反対しないとしたが、海図は来春に次の版が刷られるまで改めないという。漁師たちはもう灯を頼りに船を出している。",
)


@pytest.mark.parametrize("name", CASES)
def test_a_bad_answer_has_an_outcome_and_costs_nothing_later(morgue, server, name):
    case = CASES[name]
    url = server.url("/page")
    server.scripts["/page"] = case.script
    report = morgue.crawl(url)
    assert last_page_fetch(morgue, url) == (case.outcome, case.reason)
    assert [(result.url, result.outcome, result.reason) for result in report.named] == [
        (url, case.outcome, case.reason)
    ]
    assert report.failed_targets == [url]
    assert kept(morgue) == ([url] if case.keeps else [])
    assert morgue.articles() == []
    server.scripts["/page"] = GOOD
    check_well_again(morgue, url)


@pytest.mark.parametrize("name", WELL_READ)
def test_an_odd_answer_is_read_well(morgue, server, name):
    server.scripts["/page"] = WELL_READ[name]
    check_well_again(morgue, server.url("/page"))


@pytest.mark.parametrize("encoding", ["shift_jis", "euc_jp", "iso2022_jp", "utf-8"])
@pytest.mark.parametrize("label", ["header", "markup"])
def test_japanese_pages_are_read_by_their_one_label(morgue, server, encoding, label):
    name = encoding.replace("iso2022_jp", "iso-2022-jp").replace("euc_jp", "euc-jp")
    in_markup = f'<meta charset="{name}">' if label == "markup" else ""
    in_header = f"; charset={name}" if label == "header" else ""
    html = page(JAPANESE, head=in_markup, lang="ja")
    server.scripts["/page"] = answer(html.encode(encoding), content_type=f"text/html{in_header}")
    assert morgue.crawl(server.url("/page")).outcomes == {"created": 1}
    assert morgue.article(server.url("/page")).content.body == "\n\n".join(JAPANESE)


def test_broken_utf8_costs_its_broken_characters_only(morgue, server):
    body = page((*PARAGRAPHS, "På Østerholm blåser det så hårdt, at gæs går hjem til øen over åsen på fødderne. " * 9))
    broken = body.encode().replace("“".encode(), b"\x80\x9c\xff")
    server.scripts["/page"] = answer(broken, content_type="text/html; charset=utf-8")
    assert morgue.crawl(server.url("/page")).outcomes == {"created": 1}
    read = morgue.article(server.url("/page")).content.body
    assert "lamp again on Sunday evening" in read
    assert "Østerholm" in read
    assert "that nobody relies on it”" in read


# Hosts that cannot be reached, or may not be


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://nosuch.invalid/page", "dns"),
        ("https://nosuch.invalid/page", "dns"),
        ("http://127.0.0.1:1/page", "refused"),
        ("http://255.255.255.255/page", "unreachable"),
    ],
)
def test_a_host_that_cannot_be_reached(morgue, url, reason):
    report = morgue.crawl(url)
    assert [(result.outcome, result.reason) for result in report.named] == [(Outcome.NETWORK_ERROR, reason)]
    rows = [(fetch.kind, fetch.outcome, fetch.reason) for fetch in morgue.fetches()]
    assert rows == [("robots", Outcome.NETWORK_ERROR, reason), ("page", Outcome.NETWORK_ERROR, reason)]


def test_a_host_that_is_down_for_a_while_loses_nothing(morgue, newsroom):
    urls = [newsroom.publish(f"lamp-{n}", headline=f"Lamp {n} lit again", body=PARAGRAPHS) for n in range(3)]
    assert morgue.crawl(newsroom.url("/feed.rss"), limit=1).outcomes == {"created": 1}
    newsroom.close()
    report = morgue.crawl(newsroom.url("/feed.rss"), recrawl=True)
    assert [(poll.outcome, poll.reason) for poll in report.feeds] == [(Outcome.NETWORK_ERROR, "refused")]
    assert report.failed_targets == [newsroom.url("/feed.rss")]
    newsroom.start()
    report = morgue.crawl(newsroom.url("/feed.rss"), recrawl=True)
    assert report.failed_targets == []
    assert {article.url for article in morgue.articles()} == set(urls)
    assert [event.kind for event in morgue.events()] == ["created"] * 3


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority for certificates."""
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The authority, trusted by OpenSSL in this process."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


def test_a_good_certificate_is_accepted(morgue, trusted, tmp_path):
    with bad_server(server_context(tmp_path, trusted)) as server:
        server.scripts["/page"] = GOOD
        check_well_again(morgue, server.url("/page"))


@pytest.mark.parametrize("flaw", ["self-signed", "ended", "of another host", "of an unknown authority"])
def test_a_bad_certificate_is_refused_before_anything_is_asked(morgue, trusted, tmp_path, flaw):
    match flaw:
        case "self-signed":
            context = server_context(tmp_path, None)
        case "ended":
            context = server_context(tmp_path, trusted, ended=True)
        case "of another host":
            context = server_context(tmp_path, trusted, address="127.0.0.9")
        case _:
            context = server_context(tmp_path, make_authority(tmp_path))
    with bad_server(context) as server:
        server.scripts["/page"] = GOOD
        report = morgue.crawl(server.url("/page"))
        assert [(r.outcome, r.reason) for r in report.named] == [(Outcome.NETWORK_ERROR, "tls_certificate")]
        assert server.asked == []


def test_https_where_only_http_is_spoken(morgue, server):
    server.scripts["/page"] = GOOD
    report = morgue.crawl(server.url("/page").replace("http:", "https:"))
    assert [(result.outcome, result.reason) for result in report.named] == [(Outcome.NETWORK_ERROR, "tls")]


# robots.txt


FORBIDDEN = "User-agent: *\nDisallow: /page\n"
ROBOTS = {
    "forbids": Case(answer(FORBIDDEN.encode()), Outcome.BLOCKED_ROBOTS, "disallowed"),
    "forbids, gzipped": Case(
        answer(gzipped(FORBIDDEN.encode()), "Content-Encoding: gzip"), Outcome.BLOCKED_ROBOTS, "disallowed"
    ),
    "forbids behind a byte order mark": Case(
        answer(FORBIDDEN.encode("utf-8-sig")), Outcome.BLOCKED_ROBOTS, "disallowed"
    ),
    "forbids with old line ends": Case(
        answer(FORBIDDEN.replace("\n", "\r").encode()), Outcome.BLOCKED_ROBOTS, "disallowed"
    ),
    "is torn gzip": Case(
        answer(gzipped(FORBIDDEN.encode())[:-9], "Content-Encoding: gzip"), Outcome.BLOCKED_ROBOTS, "robots_unreachable"
    ),
    "500": Case(answer(b"", status="500 Oops"), Outcome.BLOCKED_ROBOTS, "robots_unreachable"),
    "503": Case(answer(b"", status="503 Busy"), Outcome.BLOCKED_ROBOTS, "robots_unreachable"),
    "429": Case(answer(b"", status="429 Slow"), Outcome.BLOCKED_ROBOTS, "robots_unreachable"),
    "is endless": Case(
        endless(head("Content-Type: text/plain"), b"Allow: /\n" * 500), Outcome.BLOCKED_ROBOTS, "robots_unreachable"
    ),
    "never answers": Case(silence, Outcome.TIMEOUT, "no_response_in_time"),
    "is no HTTP": Case(b"hello\r\n\r\n", Outcome.NETWORK_ERROR, "malformed_response"),
    "leads to a host that is down": Case(
        redirect("http://127.0.0.1:1/robots.txt"), Outcome.BLOCKED_ROBOTS, "robots_unreachable"
    ),
}
HARMLESS_ROBOTS = {
    "404": answer(b"", status="404 Not Found"),
    "403": answer(b"", status="403 Forbidden"),
    "empty": answer(b""),
    "HTML": answer(PAGE),
    "noise": answer(NOISE),
    "redirects in a circle": redirect("/robots.txt"),
    "a large one": answer(b"# comment\n" * 15_000 + b"User-agent: *\nAllow: /\n"),
    "delays of nonsense": answer(b"User-agent: *\nCrawl-delay: soon\nCrawl-delay: nan\nCrawl-delay: -1\n"),
}


@pytest.mark.parametrize("name", ROBOTS)
def test_robots_that_forbid_or_may_forbid(morgue, server, name):
    case = ROBOTS[name]
    server.scripts |= {"/page": GOOD, "/robots.txt": case.script}
    report = morgue.crawl(server.url("/page"))
    assert [(result.outcome, result.reason) for result in report.named] == [(case.outcome, case.reason)]
    assert "/page" not in server.asked
    del server.scripts["/robots.txt"]
    check_well_again(morgue, server.url("/page"))


@pytest.mark.parametrize("name", HARMLESS_ROBOTS)
def test_robots_that_forbid_nothing(morgue, server, name):
    server.scripts |= {"/page": GOOD, "/robots.txt": HARMLESS_ROBOTS[name]}
    check_well_again(morgue, server.url("/page"))


# Feeds


def feed(*paths: str, end: str = "</channel></rss>") -> str:
    items = "".join(f"<item><title>t</title><link>{path}</link></item>" for path in paths)
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>All</title>{items}{end}'


FEED_TYPE = "application/rss+xml"
BAD_FEEDS = {
    "HTML": (answer(PAGE), Outcome.WRONG_TYPE, "html"),
    "nothing": (answer(b"", content_type=FEED_TYPE), Outcome.WRONG_TYPE, "empty"),
    "JSON": (answer(b'{"a": 1}', content_type="application/json"), Outcome.WRONG_TYPE, "json"),
    "noise": (answer(NOISE, content_type=FEED_TYPE), Outcome.WRONG_TYPE, "not_xml"),
    "404": (answer(PAGE, status="404 Not Found"), Outcome.MISSING, "not_found"),
    "500": (answer(PAGE, status="500 Oops"), Outcome.HTTP_ERROR, "status_500"),
    "torn": (GOOD[:-300], Outcome.NETWORK_ERROR, "short_body"),
    "no gzip": (answer(PAGE, "Content-Encoding: gzip"), Outcome.NETWORK_ERROR, "bad_encoding"),
    "a bomb": (answer(gzipped(b" " * 50_000_000), "Content-Encoding: gzip"), Outcome.TOO_LARGE, "decoded_body"),
    "silence": (silence, Outcome.TIMEOUT, "no_response_in_time"),
    "a circle": (redirect("/feed"), Outcome.HTTP_ERROR, "redirect_loop"),
}


@pytest.mark.parametrize("name", BAD_FEEDS)
def test_a_bad_feed_has_an_outcome_and_is_read_well_later(morgue, server, name):
    script, outcome, reason = BAD_FEEDS[name]
    morgue.add_source(slug="lighthouse", feeds=[server.url("/feed")])
    server.scripts["/feed"] = script
    report = morgue.crawl("lighthouse")
    assert [(poll.outcome, poll.reason) for poll in report.feeds] == [(outcome, reason)]
    assert report.failed_targets == [server.url("/feed")]
    server.scripts |= {"/feed": answer(feed("/page").encode(), content_type=FEED_TYPE), "/page": GOOD}
    report = morgue.crawl("lighthouse")
    assert report.failed_targets == []
    assert report.outcomes == {"created": 1}


def test_what_can_be_read_of_a_torn_feed_is_read(morgue, server):
    torn = feed("/page", "/other", end="<item><title>Torn & left")
    server.scripts |= {"/feed": answer(torn.encode(), content_type=FEED_TYPE), "/page": GOOD}
    report = morgue.crawl(server.url("/feed"))
    assert [(poll.outcome, poll.reason, poll.new) for poll in report.feeds] == [(Outcome.LISTED, "malformed", 2)]
    assert report.outcomes == {"created": 1, "missing": 1}


def test_bad_pages_of_a_feed_cost_the_good_ones_nothing(morgue, server):
    """All the bad answers above in one feed, with good pages between them."""
    paths = [f"/{kind}/{number}" for number in range(len(CASES)) for kind in ("bad", "good")]
    server.scripts["/feed"] = answer(feed(*paths).encode(), content_type=FEED_TYPE)
    # 429 and 503 speak for the whole host, and what is slow would only take its time.
    scripts = [case.script for case in CASES.values() if case.outcome not in (Outcome.RATE_LIMITED, Outcome.TIMEOUT)]
    for number in range(len(CASES)):
        server.scripts[f"/good/{number}"] = answer(page((f"Lamp number {number} was lit.", *PARAGRAPHS)).encode())
        server.scripts[f"/bad/{number}"] = scripts[number % len(scripts)]
    report = morgue.crawl(server.url("/feed"))
    assert report.failed_targets == []
    assert report.fetched == 2 * len(CASES)
    assert report.outcomes["created"] == len(CASES)
    assert {article.url for article in morgue.articles()} == {
        server.url(f"/good/{number}") for number in range(len(CASES))
    }
