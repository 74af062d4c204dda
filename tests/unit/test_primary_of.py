"""Which page stands for another, by what that says of itself; and which of it is not believed."""

import pytest

from crawler.extraction.addresses import PageAddresses
from crawler.variants import form_of, primary_of

SITE = "https://www.paper.example"


def named(url: str, *canonical: str, **more) -> tuple[str, str] | None:
    primary = primary_of(url, PageAddresses(canonical=canonical, **more))
    return None if primary is None else (primary.entry.url, primary.reason)


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://amp.paper.example/a/story", "amp"),
        ("https://paper.example/a/story/amp", "amp"),
        ("https://paper.example/a/story/amp/", "amp"),
        ("https://paper.example/amp/a/story", "amp"),
        ("https://paper.example/a/story.amp.html", "amp"),
        ("https://paper.example/a/story.amp", "amp"),
        ("https://paper.example/a/story?amp", "amp"),
        ("https://paper.example/a/story?id=1&amp=1", "amp"),
        ("https://paper.example/a/story?outputType=amp", "amp"),
        ("https://m.paper.example/a/story", "mobile"),
        ("https://mobile.paper.example/a/story", "mobile"),
        ("https://paper.example/a/story?print=1", "print"),
        ("https://paper.example/a/story?view=print", "print"),
        ("https://paper.example/print/a/story", "print"),
        ("https://paper.example/a/story/druckversion", "print"),
        ("https://paper.example/a/story-print.html", "print"),
        ("https://paper.example/a/story", None),
        ("https://paper.example/camping/amplifier", None),
        ("https://paper.example/blueprint/story", None),
        ("https://m.example/story", None),
        ("https://paper.example/a/story?amplitude=1", None),
    ],
)
def test_the_form_of_an_address(url, form):
    assert form_of(url) == form


def test_markup_makes_an_amp_page_of_any_address():
    assert form_of(f"{SITE}/a/story", is_amp=True) == "amp"


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://m.paper.example/a/story", "https://www.paper.example/a/story"),
        ("https://amp.paper.example/a/story", "https://paper.example/a/story"),
        ("https://paper.example/a/story?ref=rss", "https://paper.example/a/story"),
        ("https://paper.example/ferry/amp", "https://paper.example/ferry"),
        ("https://paper.example/?p=4711", "https://paper.example/2024/05/ferry"),
        ("https://paper.example/id/4711", "https://paper.example/?p=4711"),
    ],
)
def test_a_page_of_the_same_publisher_is_believed(url, canonical):
    assert named(url, canonical) is not None


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        # The same page under another scheme or host, or with parameters that track.
        ("http://paper.example/a/story", "https://www.paper.example/a/story"),
        ("https://paper.example/a/story?utm_source=x", "https://paper.example/a/story"),
        # Other publishers, and sister domains.
        (f"{SITE}/a/story", "https://other.example/a/story"),
        (f"{SITE}/a/story", "https://paper-sport.example/a/story"),
        ("https://somebody.github.io/story", "https://else.github.io/story"),
        ("https://paper-example.cdn.ampproject.org/c/s/paper.example/a/story", "https://paper.example/a/story"),
        # No article's addresses.
        (f"{SITE}/a/story", f"{SITE}/"),
        (f"{SITE}/a/story", f"{SITE}/index.php"),
        (f"{SITE}/de/story", f"{SITE}/de/"),
        (f"{SITE}/politics/2024/story", f"{SITE}/politics/"),
        # No addresses.
        (f"{SITE}/a/story", "mailto:desk@paper.example"),
        (f"{SITE}/a/story", "https://[::1/story"),
    ],
)
def test_other_addresses_are_not_believed(url, canonical):
    assert named(url, canonical) is None


def test_several_addresses_are_none_but_one_address_twice_is_one():
    url = f"{SITE}/id/1"
    assert named(url, f"{SITE}/a/one-story", f"{SITE}/a/two-story") is None
    assert named(url, f"{SITE}/a/one-story", "http://paper.example/a/one-story") is not None


def test_og_url_is_asked_of_variants_only():
    own = f"{SITE}/a/story-of-a-ferry"
    assert named(f"{SITE}/a/story-of-a-ferry?amp=1", own=own) == (own, "amp")
    assert named(f"{SITE}/id/4711", own=own) is None
    assert named(f"{SITE}/amp/x", f"{SITE}/a/canonical-story", own=own) == (f"{SITE}/a/canonical-story", "amp")


def test_the_first_part_stands_for_the_others_whatever_they_call_themselves():
    second = f"{SITE}/a/story?page=2"
    assert named(second, second, part=2, first_part=f"{SITE}/a/story") == (f"{SITE}/a/story", "part")
    assert named(second, second, part=2) is None
