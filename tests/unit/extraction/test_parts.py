"""Which links lead to further parts of an article, and how the parts become one."""

from datetime import UTC, datetime

import pytest

from crawler.extraction import extract
from crawler.extraction.joining import Joining, joined
from storage.model import ExtractedArticle

STORY = "".join(
    f"<p>Paragraph {number} of the story says what the council of the harbour town did on day {number}.</p>"
    for number in range(1, 8)
)


def addresses(links: str, *, url: str, head: str = "", attributes: str = ""):
    html = (
        f"<!DOCTYPE html><html lang=en {attributes}><head><title>Story</title>{head}"
        '<meta property="og:type" content="article"></head>'
        f"<body class='related'><main><article><h1>A story in parts</h1>{STORY}</article>{links}</main></body></html>"
    )
    captured = datetime(2026, 3, 1, tzinfo=UTC)
    reading = extract(html, url=url, timezone=None, captured_at=captured, extractor="x")
    assert reading.article is not None
    return reading.addresses


def numbers(*hrefs: str) -> str:
    links = (f'<a href="{href}">{number}</a>' for number, href in enumerate(hrefs, start=1) if href)
    return f"<div class=pager>{' '.join(links)}</div>"


SITE = "http://paper.example"


@pytest.mark.parametrize(
    ("own", "second", "third"),
    [
        ("/a/story", "/a/story?page=2", "/a/story?page=3"),
        ("/a/story?id=7", "/a/story?id=7&p=2", "/a/story?id=7&p=3"),
        ("/a/story", "/a/story/2", "/a/story/3"),
        ("/a/story/", "/a/story/2/", "/a/story/3/"),
        ("/a/story/", "/a/story/page/2/", "/a/story/page/3/"),
        ("/a/story", "/a/story/seite-2", "/a/story/seite-3"),
        ("/a/story.html", "/a/story-2.html", "/a/story-3.html"),
        ("/a/story.html", "/a/story,seite-2.html", "/a/story,seite-3.html"),
        ("/a/story-1.html", "/a/story-2.html", "/a/story-3.html"),
        ("/a/story_1", "/a/story_2", "/a/story_3"),
    ],
)
def test_numbers_under_a_text_lead_through_its_parts(own, second, third):
    first = addresses(numbers("", second, third), url=SITE + own)
    assert (first.part, first.next_part, first.first_part) == (1, SITE + second, None)
    middle = addresses(numbers(own, "", third), url=SITE + second)
    assert (middle.part, middle.next_part, middle.first_part) == (2, SITE + third, SITE + own)
    last = addresses(numbers(own, second, ""), url=SITE + third)
    assert (last.part, last.next_part, last.first_part) == (3, None, SITE + own)


@pytest.mark.parametrize(
    "link",
    [
        '<a href="?page=2">Next</a>',
        '<a href="?page=2">Next page »</a>',
        '<a href="?page=2" aria-label="Page 2"><i></i></a>',
        '<a href="?page=2">›</a>',
        '<a href="?page=2#content">Weiter</a>',
        '<a href="?page=2">Seite 2: Wie es weitergeht</a>',
        '<a href="http://www.paper.example/a/story?page=2" rel="next">The council decides</a>',
        '<a href="/a/story?page=2">Page suivante</a>',
    ],
)
def test_words_lead_on_as_well(link):
    found = addresses(link, url=SITE + "/a/story").next_part
    assert found is not None
    assert found.endswith("/a/story?page=2")


def test_rel_next_of_the_head_leads_on():
    head = '<link rel="next" href="/a/story?page=2">'
    assert addresses("", url=SITE + "/a/story", head=head).next_part == SITE + "/a/story?page=2"


@pytest.mark.parametrize(
    "link",
    [
        # Another article, whose address only looks like that of a part.
        '<a href="/a/story-2" rel="next">Monday quiz: the sea</a>',
        '<a href="/a/story-2">Next</a>',
        '<a href="/a/story-2">The second story</a>',
        '<a href="/a/other?page=2">2</a>',
        '<a href="http://other.example/a/story?page=2">2</a>',
        '<a href="/a/story?page=3">3</a>',
        '<a href="/a/story?page=2">3</a>',
        '<a href="/a/story?page=2">Read about the council</a>',
        '<a href="/a?page=2">2</a>',
        '<a href="javascript:next(2)">2</a>',
        # Pages of something else on this page.
        '<section id="comments"><a href="/a/story?page=2">2</a></section>',
        '<div class="related-list"><a href="/a/story?page=2">2</a></div>',
        '<footer><a href="/a/story?page=2">2</a></footer>',
        '<aside><a href="/a/story?page=2">Next</a></aside>',
        *(
            f'<div {attribute}><a href="/a/story?page=2">2</a></div>'
            for attribute in ("id=reactions", "class=forum", "id=discussion", "class=leserbriefe", "class=replies")
        ),
        '<div><h3>More news</h3><ul><li>A whale</li></ul><a href="/a/story?page=2">2</a></div>',
        '<div><div><h2>What readers say</h2><p>Well done.</p></div><p><a href="/a/story?page=2">2</a></p></div>',
    ],
)
def test_other_links_lead_to_no_part(link):
    found = addresses(link, url=SITE + "/a/story")
    assert (found.part, found.next_part) == (1, None)


def test_numbers_above_the_story_number_something_else():
    links = '<a href="/a/story?page=2">2</a>'
    html = f"<html><body><div>{links}</div><article><h1>A story in parts</h1>{STORY}</article></body></html>"
    captured = datetime(2026, 3, 1, tzinfo=UTC)
    reading = extract(html, url=SITE + "/a/story", timezone=None, captured_at=captured, extractor="x")
    assert reading.addresses.next_part is None


def test_a_heading_that_speaks_of_pages_is_that_of_the_parts():
    for heading in ("<h3>Pages</h3>", "<h4>Auf welcher Seite weiter?</h4>"):
        found = addresses(f'<div>{heading}<a href="/a/story?page=2">2</a></div>', url=SITE + "/a/story")
        assert found.next_part is not None
    listed = '<div><h3>Inhalt</h3><ol><li><a href="?page=2">Seite 2 — The vote</a></li></ol></div>'
    assert addresses(listed, url=SITE + "/a/story").next_part is not None


def test_neighbours_with_numbers_are_no_parts_without_their_first():
    found = addresses('<a href="/quiz-8">8</a>', url=SITE + "/quiz-7")
    assert (found.part, found.next_part, found.first_part) == (1, None, None)


def test_the_whole_on_one_page_is_found_where_a_link_offers_it():
    pager = numbers("", "/a/story?page=2")
    for link in (
        '<a href="/a/story?page=all">View all</a>',
        '<a href="/a/story/komplettansicht">Auf einer Seite lesen</a>',
    ):
        found = addresses(pager + link, url=SITE + "/a/story")
        assert found.whole is not None
        assert found.whole.startswith(SITE + "/a/story")
    assert addresses(pager + '<a href="/archive">View all</a>', url=SITE + "/a/story").whole is None
    assert addresses('<a href="/a/story?page=all">View all</a>', url=SITE + "/a/story").whole is None


def test_what_a_page_calls_itself_is_kept_as_it_stands():
    head = (
        '<link rel="canonical" href="/one"><link rel="canonical" href="/two"><link rel="canonical" href="/one">'
        '<link rel="canonical" href="http://[bad"><meta property="og:url" content="/own">'
    )
    found = addresses("", url=SITE + "/a/story", head=head)
    assert found.canonical == (SITE + "/one", SITE + "/two")
    assert found.own == SITE + "/own"
    assert not found.is_amp
    assert addresses("", url=SITE + "/a", attributes="amp").is_amp
    assert addresses("", url=SITE + "/a", attributes="⚡").is_amp


def part(*lines: str, headline: str = "A story") -> ExtractedArticle:
    return ExtractedArticle(
        headline=headline, standfirst="What it says.", byline="By Ada Quill", body="\n\n".join(lines), extractor="x"
    )


def test_parts_are_joined_in_order_without_what_each_repeats():
    long = "A long paragraph that both of the parts carry in the midst of their text, as a box does. " * 2
    one = part("What it says.", "The first.", "Yes.", long, "Contents: one, two")
    two = part("What it says.", "By Ada Quill", "The second.", "Yes.", long, "The third.", "Contents: one, two")
    assert joined([one, two]).body.split("\n\n") == [*one.body.split("\n\n"), "The second.", "Yes.", "The third."]
    assert joined([one, two]).headline == "A story"
    assert joined([one]) == one


def test_a_part_that_only_repeats_has_nothing_new():
    one = part("The first.", "The second.")
    joining = Joining(one)
    assert not joining.add(part("A story, page 2", "The first.", "The SECOND.", headline="A story, page 2"))
    assert joining.article == one


def test_arrows_without_end_in_a_link_are_passed_over():
    endless = f'<a href="/news/ferry/all">view all{">" * 200_000}x</a>'
    assert addresses(numbers("", "?page=2") + endless, url="http://paper.example/news/ferry").whole is None
