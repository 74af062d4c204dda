"""robots.txt, feeds and sitemaps."""

from dataclasses import replace
from typing import Any

from storage.outcomes import Outcome
from tests.hostile.case import Case, Kept, feed_answer, feed_case, page_case
from tests.integration.bad_answers import FEED_TYPE, GOOD, NOISE, PAGE, feed, gzipped, head, redirect
from tests.integration.bad_server import Script, answer, endless, silence

FORBIDDEN = b"User-agent: *\nDisallow: /page\n"


def _forbids(
    name: str,
    does: str,
    robots: Script,
    reason: str = "disallowed",
    outcome: Outcome = Outcome.BLOCKED_ROBOTS,
) -> Case:
    answers = {"/robots.txt": robots, "/rules.txt": answer(FORBIDDEN)}
    return page_case(f"robots.txt: {name}", does, GOOD, outcome, reason, Kept.NOTHING, answers=answers, later=False)


def _allows(name: str, does: str, robots: Script) -> Case:
    return page_case(
        f"robots.txt: {name}",
        does,
        GOOD,
        Outcome.CREATED,
        None,
        Kept.ARTICLE,
        answers={"/robots.txt": robots},
        later=False,
    )


ROBOTS = [
    _forbids("disallow", "forbids the page", answer(FORBIDDEN)),
    _forbids("gzipped", "forbids the page in gzip", answer(gzipped(FORBIDDEN), "Content-Encoding: gzip")),
    _forbids("byte order mark", "forbids the page behind a mark", answer(b"\xef\xbb\xbf" + FORBIDDEN)),
    _forbids("old line ends", "forbids the page in lines of CR", answer(FORBIDDEN.replace(b"\n", b"\r"))),
    _forbids("redirected", "forbids the page at the end of a redirect", redirect("/rules.txt")),
    _forbids(
        "torn gzip", "sends torn gzip", answer(gzipped(FORBIDDEN)[:-9], "Content-Encoding: gzip"), "robots_unreachable"
    ),
    _forbids("500", "answers robots.txt with 500", answer(b"", status="500 Oops"), "robots_unreachable"),
    _forbids("503", "answers robots.txt with 503", answer(b"", status="503 Busy"), "robots_unreachable"),
    _forbids("429", "answers robots.txt with 429", answer(b"", status="429 Slow"), "robots_unreachable"),
    _forbids(
        "endless",
        "sends rules without end",
        endless(head("Content-Type: text/plain"), b"Allow: /\n" * 500),
        "robots_unreachable",
    ),
    _forbids("silence", "does not answer for robots.txt", silence, "idle", Outcome.TIMEOUT),
    _forbids("no HTTP", "says hello", b"hello\r\n\r\n", "malformed_response", Outcome.NETWORK_ERROR),
    _forbids(
        "elsewhere and dead",
        "leads to a host that is down",
        redirect("http://127.0.0.1:2/robots.txt"),
        "robots_unreachable",
    ),
    _allows("404", "has none", answer(b"", status="404 None")),
    _allows("403", "forbids robots.txt itself", answer(b"", status="403 No")),
    _allows("empty", "sends an empty one", answer(b"")),
    _allows("HTML", "sends a page instead", answer(PAGE)),
    _allows("noise", "sends noise", answer(NOISE)),
    _allows("circle", "leads from robots.txt to itself", redirect("/robots.txt")),
    _allows("large", "sends 180 kB of comments", answer(b"# comment\n" * 18_000 + b"User-agent: *\nAllow: /\n")),
    _allows(
        "not UTF-8",
        "writes comments in Latin-1",
        answer("# Øl på brættet\nUser-agent: *\nDisallow: /øl".encode("latin-1")),
    ),
    _allows(
        "delays of nonsense",
        "asks for delays of nonsense",
        answer(b"User-agent: *\nCrawl-delay: soon\nCrawl-delay: nan\nCrawl-delay: -1\n"),
    ),
]

_ENTITIES = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
_TWO = {"/one": GOOD, "/two": answer(PAGE.replace(b"Lamp lit", b"Second lamp lit"))}
FEEDS = [
    feed_case(
        "feed",
        "sends a feed of two links",
        feed_answer(feed("/one", "/two")),
        Outcome.LISTED,
        None,
        Kept.LINKS,
        answers=_TWO,
    ),
    feed_case(
        "feed: torn XML",
        "breaks off within an entry",
        feed_answer(feed("/one", "/two", end="<item><title>Torn & l")),
        Outcome.LISTED,
        "malformed",
        Kept.LINKS,
        answers=_TWO,
    ),
    feed_case(
        "feed: links to everywhere",
        "lists file:, javascript:, mailto: and a mail server",
        feed_answer(feed("file:///etc/passwd", "javascript:alert(1)", "mailto:a@example.org", "/one", "/two")),
        Outcome.LISTED,
        None,
        Kept.LINKS,
        answers=_TWO,
    ),
    feed_case("feed: HTML", "sends a page instead", answer(PAGE), Outcome.WRONG_TYPE, "html"),
    feed_case("feed: nothing", "sends nothing", answer(b"", content_type=FEED_TYPE), Outcome.WRONG_TYPE, "empty"),
    feed_case(
        "feed: JSON",
        "sends JSON that is no feed",
        answer(b'{"a": 1}', content_type="application/json"),
        Outcome.WRONG_TYPE,
        "json",
    ),
    feed_case("feed: noise", "sends noise", answer(NOISE, content_type=FEED_TYPE), Outcome.WRONG_TYPE, "not_xml"),
    feed_case("feed: 404", "answers 404", answer(PAGE, status="404 None"), Outcome.MISSING, "not_found"),
    feed_case("feed: 500", "answers 500", answer(PAGE, status="500 Oops"), Outcome.HTTP_ERROR, "status_500"),
    feed_case(
        "feed: torn",
        "sends less than its Content-Length",
        GOOD[:-300],
        Outcome.NETWORK_ERROR,
        "short_body",
        Kept.NOTHING,
    ),
    feed_case(
        "feed: no gzip",
        "calls plain text gzip",
        answer(PAGE, "Content-Encoding: gzip"),
        Outcome.NETWORK_ERROR,
        "bad_encoding",
    ),
    feed_case(
        "feed: bomb",
        "sends 50 MB in 50 kB",
        answer(gzipped(b" " * 50_000_000), "Content-Encoding: gzip"),
        Outcome.TOO_LARGE,
        "decoded_body",
    ),
    feed_case(
        "feed: entities",
        "nests entities a billion times",
        feed_answer(
            f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa">{_ENTITIES}]>'
            '<rss version="2.0"><channel><title>&j;</title><item><link>/one</link></item>'
            "<item><link>/two</link></item></channel></rss>"
        ),
        Outcome.LISTED,
        "malformed",
        Kept.LINKS,
        answers=_TWO,
    ),
    feed_case("feed: silence", "does not answer", silence, Outcome.TIMEOUT, "idle", Kept.NOTHING),
    feed_case("feed: circle", "leads to itself", redirect("/feed"), Outcome.HTTP_ERROR, "redirect_loop"),
]


def _sitemap(
    name: str, does: str, script: Script, outcome: Outcome, reason: str | None, kept: Kept, **more: Any
) -> Case:
    case = feed_case(f"sitemap: {name}", does, script, outcome, reason, kept, answers=_TWO | more.pop("answers", {}))
    return replace(case, listed_as="sitemaps")


def _urls(*paths: str, end: str = "</urlset>") -> bytes:
    urls = "".join(f"<url><loc>http://127.0.0.1:_PORT{path}</loc></url>" for path in paths)
    return f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}{end}'.encode()


def _index(*paths: str) -> bytes:
    maps = "".join(f"<sitemap><loc>http://127.0.0.1:_PORT{path}</loc></sitemap>" for path in paths)
    return f'<?xml version="1.0"?><sitemapindex>{maps}</sitemapindex>'.encode()


def _xml(body: bytes, *headers: str) -> bytes:
    return answer(body, *headers, content_type="application/xml")


SITEMAPS = [
    _sitemap("two links", "lists two pages", _xml(_urls("/one", "/two")), Outcome.LISTED, None, Kept.LINKS),
    _sitemap(
        "gzip without a label",
        "lists two pages in gzip that nothing announces",
        answer(gzipped(_urls("/one", "/two").replace(b"http://127.0.0.1:_PORT", b"")), content_type="application/xml"),
        Outcome.LISTED,
        None,
        Kept.LINKS,
    ),
    _sitemap(
        "an index that contains itself",
        "lists itself and a sitemap",
        _xml(_index("/feed", "/more.xml")),
        Outcome.LISTED,
        None,
        Kept.LINKS,
        answers={"/more.xml": _xml(_urls("/one"))},
    ),
    _sitemap(
        "torn XML",
        "breaks off within an entry",
        _xml(_urls("/one", "/two", end="<url><loc>http://127.0.0")),
        Outcome.LISTED,
        "truncated",
        Kept.LINKS,
    ),
    _sitemap("HTML", "sends a page instead", answer(PAGE), Outcome.WRONG_TYPE, "html", Kept.HEADERS),
    _sitemap(
        "bomb",
        "sends 100 MB in 100 kB",
        answer(gzipped(b" " * 100_000_000), "Content-Encoding: gzip"),
        Outcome.TOO_LARGE,
        "decoded_body",
        Kept.HEADERS,
    ),
    _sitemap("404", "answers 404", answer(PAGE, status="404 None"), Outcome.MISSING, "not_found", Kept.HEADERS),
]
