"""Which entries of an index are wanted, and why the others are not."""

import pytest

from crawler.discovery.feed_links import SortedEntries, sort_entries
from crawler.discovery.feeds import read_feed
from crawler.discovery.listing import Listing
from crawler.discovery.paid_marks import marks_as_paid, title_marks_as_paid

URL = "https://feeds.courier.example/news.rss"
OWN = [f"https://www.courier.example/news/{n}" for n in range(6)]


def rss(*items: str, home: str = "https://courier.example/news/") -> Listing:
    body = (
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<channel><title>C</title><link>{home}</link>{''.join(items)}</channel></rss>"
    )
    listing = read_feed(body.encode(), url=URL, content_type=None)
    assert isinstance(listing, Listing)
    return listing


def item(link: str, inside: str = "<title>T</title>") -> str:
    return f"<item>{inside}<link>{link}</link></item>"


def sort(listing: Listing, **options: object) -> SortedEntries:
    values = {"publisher_domains": frozenset({"courier.example"}), "include": (), "exclude": ()} | options
    return sort_entries(listing, url=URL, **values)


def wanted(listing: Listing, **options: object) -> list[str]:
    return [entry.url for entry in sort(listing, **options).wanted]


def test_all_entries_of_a_plain_feed_are_wanted_in_its_order():
    assert sort(rss(*map(item, OWN))) == SortedEntries(wanted=rss(*map(item, OWN)).entries, left_out={})


def test_an_empty_feed():
    assert sort(rss()) == SortedEntries(wanted=(), left_out={})


class TestElsewhere:
    def test_a_few_links_to_others_are_left_out(self):
        listing = rss(*map(item, [OWN[0], "https://port.example/a", *OWN[1:3]]))
        assert wanted(listing) == OWN[:3]
        assert sort(listing).left_out == {"elsewhere": 1}

    def test_the_domain_of_the_feed_is_the_publishers(self):
        listing = rss(*map(item, OWN))
        assert wanted(listing, publisher_domains=frozenset({"quay.example"})) == OWN

    def test_another_domain_of_the_publisher_is_the_publishers(self):
        listing = rss(*map(item, [*OWN[:3], "https://quay.example/a"]))
        assert len(wanted(listing, publisher_domains=frozenset({"quay.example"}))) == 4

    def test_an_aggregator_leads_where_it_leads(self):
        links = [OWN[0], *(f"https://paper{n}.example/a" for n in range(5))]
        assert wanted(rss(*map(item, links))) == links

    def test_links_over_a_shortener_are_followed(self):
        links = [f"https://sho.example/{n}" for n in range(9)]
        assert wanted(rss(*map(item, links))) == links

    @pytest.mark.parametrize(("staying", "leaving", "expected"), [(6, 4, 6), (5, 4, 9), (1, 0, 1), (0, 1, 1)])
    def test_three_fifths_must_stay(self, staying, leaving, expected):
        links = [*OWN[:staying], *(f"https://paper{n}.example/a" for n in range(leaving))]
        assert len(wanted(rss(*map(item, links)))) == expected

    def test_a_pattern_that_fits_wants_them(self):
        listing = rss(*map(item, [*OWN, "https://port.example/a", "https://pier.example/a"]))
        assert wanted(listing, include=("*courier.example/*", "https://port.example/*")) == [
            *OWN,
            "https://port.example/a",
        ]


def test_patterns_exclude():
    listing = rss(*map(item, OWN))
    assert sort(listing, exclude=("/news/1", "/news/2")).left_out == {"excluded": 2}
    assert wanted(listing, include=("/news/3",)) == [OWN[3]]
    assert sort(listing, include=("/news/3",)).left_out == {"excluded": 5}


def test_what_is_no_page():
    links = ["https://courier.example/timetable.pdf", "https://courier.example/p.JPG?w=1", *OWN]
    assert sort(rss(*map(item, links))).left_out == {"not_a_page": 2}
    assert wanted(rss(*map(item, links))) == OWN


def test_home_pages_are_none():
    links = ["https://courier.example/news/", "https://feeds.courier.example/", *OWN]
    assert sort(rss(*map(item, links))).left_out == {"home_page": 2}
    # Of an index of others' pages, somebody's front page is what it leads to.
    others = ["https://blog.example/", *(f"https://paper{n}.example/a" for n in range(5))]
    assert wanted(rss(*map(item, others))) == others


@pytest.mark.parametrize(
    "mark",
    [
        "<category>Sponsored</category>",
        "<category>News</category><category domain='x'><![CDATA[Paid Content]]></category>",
        "<category>Politics</category><category>News / Advertorial</category>",
        "<category>  ANZEIGE </category>",
        "<category>contenu-sponsorisé</category>",
        "<category>Партнерский материал</category>",
        "<category>sponsored-post</category>",
        "<category>Kaupallinen yhteistyö</category>",
        "<dc:subject>Partner Content</dc:subject>",
        "<atom:link rel='sponsored' href='https://shop.example/'/>",
        "<title>[Sponsored] Sleep better</title>",
        "<title>Anzeige: Besser schlafen</title>",
        "<title>(Advertorial) Sleep better</title>",
    ],
)  # fmt: skip
def test_paid_entries_are_left_out(mark):
    listing = rss(item(OWN[0], mark), *map(item, OWN[1:]))
    assert sort(listing).left_out == {"paid": 1}
    assert wanted(listing) == OWN[1:]


def test_paid_entries_of_atom():
    body = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>C</title>"
        "<entry><link href='/1'/><category term='x' label='Branded content'/></entry>"
        "<entry><link href='/2'/><category term='sponsored'></category></entry>"
        "<entry><link rel='alternate sponsored' href='/3'/></entry>"
        "<entry><link href='/4'/><category term='sponsors of the arts'/></entry></feed>"
    )
    listing = read_feed(body.encode(), url="https://courier.example/atom", content_type=None)
    assert isinstance(listing, Listing)
    assert listing.paid == {f"courier.example/{n}" for n in (1, 2, 3)}


@pytest.mark.parametrize(
    "label",
    [
        "",
        "Advertising",
        "Werbung",
        "Publicité",
        "Sponsorship in sport",
        "Partner",
        "News",
        "Paid leave",
        "x" * 500,
    ],
)
def test_words_that_are_a_subject_too_mark_nothing(label):
    assert not marks_as_paid(label)


@pytest.mark.parametrize(
    "title", [None, "", "Sponsored athletes leave", "Advertisements", "News: Sponsored", "Ferry: paid content"]
)
def test_titles_that_only_speak_of_it_mark_nothing(title):
    assert not title_marks_as_paid(title)
