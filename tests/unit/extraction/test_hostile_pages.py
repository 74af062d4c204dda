"""Whatever a server sends, reading it gives a reading."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml.html import fromstring

from crawler.extraction import decode_html, overlays
from crawler.extraction.text import without_control_characters
from tests.unit.extraction.pages import FIXTURES, STORY, page, read

P = f"<p>{STORY[0]}</p>"
PIECES = [
    "<",
    ">",
    '"',
    "'",
    "</div>",
    "<table>",
    "<p",
    "\0",
    "&#",
    "&#1;",
    "<script>",
    "<!--",
    "<textarea>",
    "\ud800",
    "]]>",
    "<h1>",
]


@pytest.mark.parametrize(
    "html",
    [
        "\0\0",
        "<html><head></head><frameset><frame src='a'></frameset></html>",
        "<html><body>" + "<div>" * 10_000 + P + "</div>" * 10_000,
        "<html><body>" + "<b>" * 10_000 + P,
        '<?xml version="1.0" encoding="iso-8859-1"?>' + page(),
        page(head='<script type="application/ld+json">' + "[" * 100_000 + "</script>"),
        page(head='<script type="application/ld+json">{"@type":"NewsArticle","headline":5,'
             '"author":[[{"name":{"a":1}}],null],'
             '"datePublished":["x"],"image":[[]],"publisher":[null],"isAccessibleForFree":[]}</script>'),
        page(head='<link rel=canonical href="http://[bad"><meta property="og:image" content="http://[::1">'),
        page(below='<p><a href="http://[x">a link that leads to nowhere at all</a></p>'),
        page(above="<h1><!-- --><?php echo ?>Bridge</h1>"),
    ],
)  # fmt: skip
def test_strange_pages_are_read(html):
    reading = read(html)
    assert (reading.article is None) != (reading.outcome is None)


def test_no_control_character_and_no_surrogate_comes_out():
    article = read(
        page(above="<h1>Bri\0dge\ud800 &#0;to&#x1F; clo\x07se</h1>", below="<p>It is\x0b so, said the\udfff mayor.</p>")
    ).article
    assert article.headline == "Bridge to close"
    assert article.body == without_control_characters(article.body)
    article.body.encode("utf-8")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 40), st.sampled_from(PIECES)), max_size=40))
def test_torn_markup_is_read(cuts):
    html = (FIXTURES / "every_trap.html").read_text(encoding="utf-8")
    for place, length, piece in cuts:
        html = html[:place] + piece + html[place + length :]
    reading = read(html)
    assert (reading.article is None) != (reading.outcome is None)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([None, "text/html; charset=hex", "text/html; charset=utf-7", "text/html; charset=euc-jp"]),
)
def test_any_bytes_are_decoded(body, content_type):
    assert isinstance(decode_html(body, content_type=content_type), str)


def test_overlays_that_lie_in_one_another_are_not_read_once_for_each(monkeypatch):
    read_of: list[int] = []

    def speaks(element, *, logins):
        read_of.append(len(element.text_content()))
        return False

    monkeypatch.setattr(overlays, "_speaks_as_one", speaks)
    inner = "<li>one two three</li>" * 2000
    html = f"<html><body><p>{STORY[0]}</p>{'<div class=cookie>' * 200}{inner}{'</div>' * 200}</body></html>"
    overlays.remove_overlays(fromstring(html), logins=False)
    assert 0 < sum(read_of) <= 10 * len(inner)
