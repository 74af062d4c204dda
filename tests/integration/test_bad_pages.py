"""Hosts that cannot be reached or trusted, Japanese labels, feeds of many bad pages; the rest is in tests.hostile."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.settings import CrawlSettings
from storage.outcomes import Outcome
from storage.store import Store
from tests.hostile.bodies import CODINGS, EMPTY, TORN, TYPES
from tests.hostile.case import PAGE_PATH
from tests.hostile.statuses import SIZES
from tests.integration.bad_answers import FEED_TYPE, GOOD, JAPANESE, PARAGRAPHS, feed, page
from tests.integration.bad_server import Authority, BadServer, answer, bad_server, make_authority, server_context
from tests.integration.crawls import USER_AGENT, Morgue

MAX_BYTES = 200_000
TIMEOUT_SECONDS = 1.0


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


def check_well_again(morgue: Morgue, url: str) -> None:
    report = morgue.crawl(url)
    assert report.outcomes == {"created": 1}
    assert report.failed_targets == []
    assert morgue.article(url).content.body == "\n\n".join(PARAGRAPHS)


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
        ("http://127.0.0.1:2/page", "refused"),
        ("http://255.255.255.255/page", "unreachable"),
    ],
)
def test_a_host_that_cannot_be_reached(morgue, url, reason):
    report = morgue.crawl(url)
    assert [(result.outcome, result.reason) for result in report.named] == [(Outcome.NETWORK_ERROR, reason)]
    rows = [(fetch.kind, fetch.outcome, fetch.reason) for fetch in morgue.fetches()]
    assert rows == [("robots", Outcome.NETWORK_ERROR, reason), ("page", Outcome.NETWORK_ERROR, reason)]


def test_a_host_that_is_down_for_a_while_loses_nothing(morgue, newsroom):
    bodies = [(f"Lamp number {n} was lit by its keeper.", *PARAGRAPHS) for n in range(3)]
    urls = [newsroom.publish(f"lamp-{n}", headline=f"Lamp {n} lit again", body=body) for n, body in enumerate(bodies)]
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


def test_a_server_that_wants_a_certificate_of_ours_is_a_matter_of_tls(morgue, trusted, tmp_path):
    """It says so only after the handshake, as of TLS 1.3."""
    context = server_context(tmp_path, trusted)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(trusted.file)
    with bad_server(context) as server:
        report = morgue.crawl(server.url("/page"))
        assert [(r.outcome, r.reason) for r in report.named] == [(Outcome.NETWORK_ERROR, "tls")]


def test_https_where_only_http_is_spoken(morgue, server):
    server.scripts["/page"] = GOOD
    report = morgue.crawl(server.url("/page").replace("http:", "https:"))
    assert [(result.outcome, result.reason) for result in report.named] == [(Outcome.NETWORK_ERROR, "tls")]


# Feeds


def test_what_can_be_read_of_a_torn_feed_is_read(morgue, server):
    torn = feed("/page", "/other", end="<item><title>Torn & left")
    server.scripts |= {"/feed": answer(torn.encode(), content_type=FEED_TYPE), "/page": GOOD}
    report = morgue.crawl(server.url("/feed"))
    assert [(poll.outcome, poll.reason, poll.new) for poll in report.feeds] == [(Outcome.LISTED, "malformed", 2)]
    assert report.outcomes == {"created": 1, "missing": 1}


def test_bad_pages_of_a_feed_cost_the_good_ones_nothing(morgue, server):
    """All the bad answers of the table in one feed, with good pages between them."""
    # What is slow would only take its time here.
    cases = [case for group in (TYPES, EMPTY, CODINGS, TORN, SIZES) for case in group]
    paths = [f"/{kind}/{number}" for number in range(len(cases)) for kind in ("bad", "good")]
    server.scripts["/feed"] = answer(feed(*paths).encode(), content_type=FEED_TYPE)
    for number, case in enumerate(cases):
        server.scripts[f"/good/{number}"] = answer(page((f"Lamp number {number} was lit.", *PARAGRAPHS)).encode())
        server.scripts[f"/bad/{number}"] = case.answers[PAGE_PATH]
    report = morgue.crawl(server.url("/feed"))
    assert report.failed_targets == []
    assert report.fetched == 2 * len(cases)
    assert report.outcomes["created"] == len(cases)
    assert {article.url for article in morgue.articles()} == {
        server.url(f"/good/{number}") for number in range(len(cases))
    }
