"""What came under a page's address is told by its text, whatever its label says."""

import pytest

from crawler.extraction.document_type import kind_of_document
from crawler.extraction.pool import ReadTask, read_task
from storage.outcomes import Outcome
from tests.unit.extraction.pages import CAPTURED_AT, STORY, page

XHTML = (
    '<?xml version="1.0" encoding="{encoding}"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" '
    '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n<html xmlns="http://www.w3.org/1999/xhtml">'
    '<head><title>Bridge to close</title><script src="/a.js"/><link rel="stylesheet" href="/a.css"/></head>'
    "<body><div id='ad'/><h1>Bridge to close</h1>{story}<p>The caf&eacute; &amp; the qu&aacute;y stay open&nbsp;&mdash;"
    " said the mayor, and the ferry will sail every hour.</p></body></html>"
)
PROSE = "".join(f"<p>{paragraph}</p>" for paragraph in STORY)


def read(body: bytes, content_type: str | None):
    return read_task(
        ReadTask(
            body=body,
            content_type=content_type,
            url="https://courier.example/city/bridge-to-close",
            timezone=None,
            captured_at=CAPTURED_AT,
        )
    )


@pytest.mark.parametrize("content_type", ["application/xhtml+xml", "application/xml", "text/xml", "text/plain", None])
@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1"])
def test_xhtml_is_a_page_under_any_label(content_type, encoding):
    article = read(XHTML.format(encoding=encoding, story=PROSE).encode(encoding), content_type).article
    assert article.headline == "Bridge to close"
    assert article.body.startswith(STORY[0])
    assert "The café & the quáy stay open — said the mayor" in article.body


@pytest.mark.parametrize("content_type", ["text/plain", "text/xml; charset=utf-8", "application/xml", "text/html"])
def test_html_is_a_page_under_any_label(content_type):
    assert read(page().encode(), content_type).article.body == "\n\n".join(STORY)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<?xml version='1.0'?><rss version='2.0'><channel><title>City</title></channel></rss>", "feed"),
        ("\ufeff<?xml version='1.0'?>\n<!-- by hand --><feed xmlns='http://www.w3.org/2005/Atom'></feed>", "feed"),
        ("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'></rdf:RDF>", "feed"),
        ("<?xml-stylesheet href='a.xsl'?><urlset><url><loc>https://courier.example/</loc></url></urlset>", "sitemap"),
        ("<sm:sitemapindex xmlns:sm='http://www.sitemaps.org/schemas/sitemap/0.9'/>", "sitemap"),
        ("<svg xmlns='http://www.w3.org/2000/svg'><text>Bridge</text></svg>", "xml"),
        ("\n\n".join(STORY), "plain_text"),
        ("If a < b and c > d, then the bridge is closed.", "plain_text"),
        ("<rssless>a page of its own making</rssless>", None),
        (f"{STORY[0]} <br> {STORY[1]}", None),
        ("", None),
        ("<!doctype html><p>Bridge", None),
        ("<!-- <rss> --><html></html>", None),
    ],
)
def test_kind(text, kind):
    assert kind_of_document(text) == kind
    if kind is not None:
        reading = read(text.encode(), "text/html")
        assert (reading.outcome, reading.reason) == (Outcome.NOT_ARTICLE, kind)


def test_a_prologue_without_end_costs_no_time():
    assert kind_of_document("<!--" * 200_000) == "plain_text"
    assert kind_of_document("<?" + "?" * 500_000) == "plain_text"
    assert kind_of_document(" " * 500_000 + "<rss>") is None


HIDDEN = "The copy that nobody sees says that the bridge was never built, and that the harbour is a painting."


@pytest.mark.parametrize(
    "around",
    [
        "<textarea>{}</textarea>",
        "<template><p>{}</p></template>",
        "<p hidden>{}</p>",
        "<div style='display:none'><p>{}</p></div>",
        "<div aria-hidden='true'><p>{}</p></div>",
        "<noscript><p>{}</p></noscript>",
        "<select><option>{}</option></select>",
        "<script>'{}'</script>",
        "<!-- {} -->",
    ],
)
def test_what_is_not_shown_is_not_read(around):
    assert read(page(below=around.format(HIDDEN)).encode(), "text/html").article.body == "\n\n".join(STORY)


def test_a_story_that_stands_in_noscript_alone_is_read():
    html = f"<html><head><title>Bridge</title></head><body><h1>Bridge</h1><noscript>{PROSE}</noscript></body></html>"
    assert STORY[0] in read(html.encode(), "text/html").article.body
