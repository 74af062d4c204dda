"""Which bodies without a length are known to be torn."""

import pytest

from crawler.whole_body import is_cut

PAGE = b"<!doctype html><html><head><title>Lamp</title></head><body><article><p>Lit again.</p>"
END = b"</article></body></html>"

WHOLE = {
    "a document": PAGE + END,
    "one without its end": PAGE,
    "one that ends in text": PAGE + b"<p>A lamp < a lighthouse, I <3 it & more",
    "one with blanks and a comment behind": PAGE + END + b"\n\n<!-- served by 7 -->\n",
    "one with a whole script": PAGE + b"<script>if (a < b) {}</script>",
    "text": b"User-agent: *\nDisallow: /private",
    "JSON": b'{"version": "1"',
    "nothing": b"",
    "UTF-16": (PAGE + END).decode().encode("utf-16"),
}
TORN = {
    "a tag": PAGE + b'<a href="/lighthou',
    "an end tag": PAGE + b"</arti",
    "a tag's first sign": PAGE + b"<",
    "a comment": PAGE + b"<!-- the lamp is > lit",
    "a script": PAGE + b"<script>window.state = {'lamp': '<p>lit</p>'",
    "a style sheet": PAGE + b"<STYLE>.lamp > p { color: red",
    "a feed's tag": b'<?xml version="1.0"?><rss><channel><item><title>Lamp</ti',
    "UTF-16 in a tag": (PAGE + b"<a hre").decode().encode("utf-16"),
    "a byte order mark and a tag": b"\xef\xbb\xbf" + PAGE + b"<a hre",
}
TORN_IF_BROKEN_OFF = {
    "between two paragraphs": PAGE,
    "in a text": PAGE + b"<p>The lamp was",
    "a feed between two entries": b'<?xml version="1.0"?><rss><channel><item></item>',
    "JSON": b'{"version": "1", "items": [',
    "text in a line": b"User-agent: *\nDisallow: /priv",
}
WHOLE_IF_BROKEN_OFF = {
    "a document": PAGE + END,
    "a document with something behind": PAGE + END.upper() + b"\n<!-- 0.2 s -->",
    "a feed": b'<?xml version="1.0"?><rss><channel></channel></rss>\n',
    "a sitemap": b'<?xml version="1.0"?><s:urlset xmlns:s="x"></s:urlset>',
    "JSON": b'{"version": "1"}',
    "text": b"User-agent: *\nDisallow: /private\n",
}


@pytest.mark.parametrize("name", WHOLE)
def test_an_orderly_end_is_believed(name):
    assert not is_cut(WHOLE[name], orderly=True)


@pytest.mark.parametrize("name", TORN)
def test_markup_that_ends_inside_is_torn(name):
    assert is_cut(TORN[name], orderly=True)
    assert is_cut(TORN[name], orderly=False)


@pytest.mark.parametrize("name", TORN_IF_BROKEN_OFF)
def test_a_connection_that_breaks_off_tears_what_has_no_end(name):
    assert not is_cut(TORN_IF_BROKEN_OFF[name], orderly=True)
    assert is_cut(TORN_IF_BROKEN_OFF[name], orderly=False)


@pytest.mark.parametrize("name", WHOLE_IF_BROKEN_OFF)
def test_what_has_its_end_is_whole_however_the_connection_ends(name):
    assert not is_cut(WHOLE_IF_BROKEN_OFF[name], orderly=False)
