"""What the markup of a page is read for."""

import json
from datetime import UTC, datetime

import pytest

from storage.model import Access
from tests.unit.extraction.pages import page, read_article


def with_json_ld(*nodes, **fields) -> str:
    block = nodes or ({"@context": "https://schema.org", "@type": "NewsArticle", **fields},)
    return page(head="".join(f'<script type="application/ld+json">{json.dumps(node)}</script>' for node in block))


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ({"@type": "Person", "name": "Ida Lund"}, ("Ida Lund",)),
        ([{"name": "Ida Lund"}, {"name": "Bo Chan"}], ("Ida Lund", "Bo Chan")),
        ("By Ida Lund and Bo Chan", ("Ida Lund", "Bo Chan")),
        ({"name": "Ida Lund, Senior Editor"}, ("Ida Lund",)),
        ({"@type": "Organization", "name": "Agence Maritime and Sons"}, ("Agence Maritime and Sons",)),
        (["https://courier.example/authors/ida-lund"], ()),
        ([{"name": "Ida Lund"}, {"name": "IDA LUND"}], ("Ida Lund",)),
    ],
)
def test_authors_are_names(author, names):
    assert read_article(with_json_ld(headline="Bridge to close", author=author)).authors == names


def test_authors_of_a_meta_element_are_split():
    assert read_article(page(head='<meta name="author" content="Ida Lund &amp; Bo Chan">')).authors == (
        "Ida Lund",
        "Bo Chan",
    )


def test_nodes_in_a_graph_are_resolved():
    graph = {
        "@graph": [
            {"@type": "WebPage", "@id": "#page"},
            {
                "@type": "Article",
                "headline": "Bridge to close",
                "author": {"@id": "#ida"},
                "publisher": {"@id": "#pub"},
            },
            {"@type": "Person", "@id": "#ida", "name": "Ida Lund"},
            {"@type": "Organization", "@id": "#pub", "name": "The Courier"},
        ]
    }
    article = read_article(with_json_ld(graph))
    assert article.authors == ("Ida Lund",)
    assert article.site_name == "The Courier"


def test_the_node_of_the_shown_story_is_taken_not_that_of_another():
    other = {"@type": "NewsArticle", "headline": "Market hall gets a roof", "author": {"name": "Someone Else"}}
    own = {"@type": "NewsArticle", "headline": "Bridge to close", "author": {"name": "Ida Lund"}}
    assert read_article(with_json_ld(other, own)).authors == ("Ida Lund",)


@pytest.mark.parametrize(
    "block",
    ['{"@type":"NewsArticle","author":{"name":"Ida Lund"},}',
     '<!-- {"@type":"NewsArticle","author":{"name":"Ida Lund"}} -->',
     '{"@type":"NewsArticle", "description":"two\nlines", "author":{"name":"Ida Lund"}}'],
)  # fmt: skip
def test_broken_json_ld_is_read_all_the_same(block):
    assert read_article(page(head=f'<script type="application/ld+json">{block}</script>')).authors == ("Ida Lund",)


@pytest.mark.parametrize(
    ("raw", "local", "instant", "zone_known"),
    [
        ("2023-03-07T21:05:00+05:30", "2023-03-07T21:05:00+05:30", datetime(2023, 3, 7, 15, 35, tzinfo=UTC), True),
        ("2023-03-07T21:05:00Z", "2023-03-07T21:05:00Z", datetime(2023, 3, 7, 21, 5, tzinfo=UTC), True),
        ("2023-03-07 21:05", "2023-03-07T21:05:00", datetime(2023, 3, 7, 20, 5, tzinfo=UTC), False),
        ("2023-03-07", "2023-03-07", None, False),
        ("Tue, 07 Mar 2023 21:05:00 +0100", "2023-03-07T21:05:00+01:00", datetime(2023, 3, 7, 20, 5, tzinfo=UTC), True),
        ("1678219500", "2023-03-07T20:05:00+00:00", datetime(2023, 3, 7, 20, 5, tzinfo=UTC), True),
    ],
)
def test_times_of_markup(raw, local, instant, zone_known):
    article = read_article(with_json_ld(headline="Bridge to close", datePublished=raw), timezone="Europe/Berlin")
    published = article.published
    assert (published.local, published.instant, published.zone_known) == (local, instant, zone_known)
    assert (published.raw, published.found_in) == (raw, "json_ld")


@pytest.mark.parametrize("raw", ["2031-01-01T00:00:00Z", "0000-00-00", "-0001-11-30T00:00:00+00:00", "soon", "0"])
def test_times_that_cannot_be_true_are_refused(raw):
    assert read_article(with_json_ld(headline="Bridge to close", datePublished=raw)).published is None


@pytest.mark.parametrize(
    ("line", "lang", "local"),
    [
        ("Veröffentlicht am 7. März 2023, 21:05 Uhr", "de", "2023-03-07T21:05:00"),
        ("Publié le 7 mars 2023 à 21h05", "fr", "2023-03-07T21:05:00"),
        ("Publicado el 7 de marzo de 2023 21:05", "es", "2023-03-07T21:05:00"),
        ("March 7, 2023 9:05 p.m. EST", "en", "2023-03-07T21:05:00-05:00"),
        ("12:05 am, 7 Mar 2023", "en", "2023-03-07T00:05:00"),
        ("2023年3月7日 21:05", "ja", "2023-03-07T21:05:00"),
        ("07.03.2023", "de", "2023-03-07"),
    ],
)
def test_dates_that_are_shown(line, lang, local):
    article = read_article(page(above=f"<h1>Bridge to close</h1><p>{line}</p>", lang=lang))
    assert article.published.local == local
    assert line not in article.body


def test_day_of_the_address():
    published = read_article(page(), url="https://courier.example/2023/03/07/bridge.html").published
    assert (published.local, published.instant, published.found_in) == ("2023-03-07", None, "url")


@pytest.mark.parametrize(
    ("head", "access"),
    [
        (
            '<script type="application/ld+json">{"@type":"NewsArticle","isAccessibleForFree":"False"}</script>',
            Access.PAYWALLED,
        ),
        ('<script type="application/ld+json">{"@type":"NewsArticle","isAccessibleForFree":true}</script>', Access.FREE),
        ('<meta property="article:content_tier" content="metered">', Access.METERED),
        ("", Access.UNKNOWN),
    ],
)
def test_access(head, access):
    assert read_article(page(head=head)).access is access


def test_headline_is_what_most_voices_say():
    head = '<meta property="og:title" content="This bridge!"><title>Bridge to close | The Courier</title>'
    assert read_article(page(head=head)).headline == "Bridge to close"


def test_language_of_the_text_wins_over_a_label_that_is_plainly_wrong():
    german = (
        "Der Rat der Stadt hat am Dienstagabend beschlossen, die Brücke am Hafen für ein ganzes Jahr zu sperren. " * 5
    )
    assert (
        read_article(f"<html lang='en'><body><h1>Brücke wird gesperrt</h1><p>{german}</p></body></html>").language
        == "de"
    )
