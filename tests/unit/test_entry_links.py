"""Which of an entry's links is its page's address, and what relative ones are meant by."""

import pytest

from crawler.discovery.feeds import read_feed
from crawler.discovery.json_feeds import read_json_feed
from crawler.discovery.listing import Listing

FEED = "https://courier.example/feeds/news.rss"
SPACES = 'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:pheedo="http://www.pheedo.com/namespace/pheedo"'


def rss(items, channel="<link>https://courier.example/</link>", url=FEED):
    body = f'<rss version="2.0" {SPACES}><channel><title>C</title>{channel}{items}</channel></rss>'
    return links(read_feed(body.encode(), url=url, content_type=None))


def atom(entries, url=FEED):
    body = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>C</title>{entries}</feed>'
    return links(read_feed(body.encode(), url=url, content_type=None))


def links(listing):
    assert isinstance(listing, Listing)
    return [entry.url for entry in listing.entries]


def item(name, inner):
    return f"<item><title>{name}</title>{inner}</item>"


@pytest.mark.parametrize(
    "link",
    [
        "https://courier.example/",
        "https://courier.example",
        "http://www.courier.example/",
        "https://other.example/",
        "https://courier.example/feeds/news.rss",
        "https://courier.example/#latest",
    ],
)
@pytest.mark.parametrize("guid", ["<guid>{}</guid>", "<guid isPermaLink='true'>{}</guid>"])
def test_an_address_stands_in_the_guid_where_the_link_is_a_home_page(link, guid):
    items = "".join(
        item(name, f"<link>{link}</link>{guid.format(f'https://courier.example/news/{name}')}") for name in ("a", "b")
    )
    assert rss(items) == ["https://courier.example/news/a", "https://courier.example/news/b"]


def test_a_section_that_is_the_link_of_all_is_no_entrys_address():
    section = "<link>https://courier.example/harbour/</link>"
    items = "".join(item(name, f"{section}<guid>https://courier.example/x/{name}</guid>") for name in "abc")
    assert rss(items) == [f"https://courier.example/x/{name}" for name in "abc"]


def test_the_page_that_the_channel_names_is_no_entrys_address():
    section = "https://courier.example/harbour/"
    one = item("a", f"<link>{section}</link><guid>https://courier.example/x/a</guid>")
    assert rss(one, channel=f"<link>{section}</link>") == ["https://courier.example/x/a"]


def test_an_entry_that_is_listed_twice_keeps_its_link():
    twice = "".join(
        item("A", f"<link>https://courier.example/a</link><guid isPermaLink='false'>https://courier.example/?p={n}</guid>")
        for n in (1, 2)
    )  # fmt: skip
    assert rss(twice) == ["https://courier.example/a"]


def test_links_that_entries_share_stay_where_nothing_else_is_an_address():
    items = item("A", "<link>https://courier.example/live</link><guid>1</guid>")
    items += item("B", "<link>https://courier.example/live</link><guid>2</guid>")
    assert rss(items) == ["https://courier.example/live"]


def test_a_good_link_goes_before_a_guid():
    one = item("a", "<link>https://courier.example/a</link><guid isPermaLink='true'>https://courier.example/1</guid>")
    assert rss(one) == ["https://courier.example/a"]


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<atom:link rel='canonical' href='https://courier.example/c'/><link>https://courier.example/l</link>", "c"),
        ("<link>https://count.example/1</link><pheedo:origLink>https://courier.example/o</pheedo:origLink>", "o"),
        ("<enclosure url='https://courier.example/e' type='text/html' length='0'/>", "e"),
        ("<comments>https://courier.example/d#comments</comments>", "d"),
        ("<atom:link rel='related' href='https://courier.example/r'/>", "r"),
    ],
)
def test_other_relations(inner, expected):
    assert rss(item("a", inner)) == [f"https://courier.example/{expected}"]


@pytest.mark.parametrize("inner", ["<comments>https://courier.example/forum</comments>", "<guid>tag:1</guid>"])
def test_what_is_no_address_of_a_page(inner):
    assert rss(item("a", inner)) == []


def test_an_atom_id_stands_for_links_to_the_home_page():
    home = "<link rel='alternate' href='https://courier.example/'/>"
    entries = "".join(f"<entry><title>{n}</title>{home}<id>https://courier.example/{n}</id></entry>" for n in "ab")
    assert atom(home + entries) == ["https://courier.example/a", "https://courier.example/b"]


def test_a_json_id_stands_for_a_url_of_the_home_page():
    body = (
        b'{"version": "https://jsonfeed.org/version/1.1", "home_page_url": "https://courier.example/", "items": '
        b'[{"id": "https://courier.example/a", "url": "https://courier.example/", "title": "A"}, '
        b'{"id": "2", "url": "b"}]}'
    )
    assert links(read_json_feed(body, url="https://json.example/f")) == [
        "https://courier.example/a",
        "https://courier.example/b",
    ]


@pytest.mark.parametrize(
    ("channel", "link", "expected"),
    [
        ("https://www.courier.example/", "/a", "https://www.courier.example/a"),
        ("https://www.courier.example/", "a", "https://www.courier.example/a"),
        ("https://www.courier.example/harbour/", "a", "https://www.courier.example/harbour/a"),
        ("/harbour/", "a", "https://proxy.example/harbour/a"),
        ("http://localhost/", "/a", "https://proxy.example/a"),
        ("no address", "/a", "https://proxy.example/a"),
        ("//www.courier.example/", "/a", "https://www.courier.example/a"),
    ],
)
def test_relative_links_are_meant_by_the_channels_own(channel, link, expected):
    one = item("a", f"<link>{link}</link>")
    assert rss(one, channel=f"<link>{channel}</link>", url="https://proxy.example/f/1.rss") == [expected]


def test_xml_base_goes_before_the_channels_link():
    body = (
        b'<rss version="2.0" xml:base="https://base.example/x/"><channel><link>https://courier.example/</link>'
        b"<item><link>a</link></item><item xml:base='y/'><link>b</link></item></channel></rss>"
    )
    assert links(read_feed(body, url=FEED, content_type=None)) == [
        "https://base.example/x/a",
        "https://base.example/x/y/b",
    ]
