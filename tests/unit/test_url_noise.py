"""Parts of addresses that never matter, told by a publisher's own pages."""

import pytest

from crawler.discovery.url_noise import UrlNoise
from crawler.urls import url_key
from storage.records import KnownPage

NAMES = [f"story-{name}" for name in ("harbour", "council", "ferry", "school")]


def page(url, story, *, title=None, alias=False):
    return KnownPage(url=url, url_key=url_key(url), story=story, title=title, is_alias=alias)


def learnt(*forms, names=NAMES, more=()):
    """Learn from stories that stand at addresses of these forms, which have a `{}` for the name."""
    pages = [page(form.format(name), name, title=name) for form in forms for name in names]
    return UrlNoise.learn([*pages, *more])


@pytest.mark.parametrize(
    ("forms", "new"),
    [
        (["https://c.example/n/{}", "https://c.example/n/{}?mod=rss_0.1"], "https://c.example/n/{}?mod=rss_0.7"),
        (["https://c.example/n/{}?sid=1a", "https://c.example/n/{}?sid=2b"], "https://c.example/n/{}?sid=9z"),
        (["https://c.example/n/{}?a=1&b=2", "https://c.example/n/{}?a=3&b=4"], "https://c.example/n/{}?a=5&b=6"),
        (["https://c.example/n/{}?1700000", "https://c.example/n/{}?1800000"], "https://c.example/n/{}?1900000"),
        (["https://c.example/n/{}", "https://c.example/n/{};jsessionid=AB"], "https://c.example/n/{};jsessionid=CD"),
        (["https://c.example/s/aa1/n/{}", "https://c.example/s/bb2/n/{}"], "https://c.example/s/cc3/n/{}"),
        (["https://c.example/n/{}-aa11.html", "https://c.example/n/{}-bb22.html"], "https://c.example/n/{}-cc33.html"),
        (["https://w1.c.example/n/{}", "https://w2.c.example/n/{}"], "https://w7.c.example/n/{}"),
        (["https://c.example/n?id={}&t=1", "https://c.example/n?id={}&t=2"], "https://c.example/n?t=3&id={}"),
    ],
)
def test_what_never_matters_is_told_by_the_publishers_own_pages(forms, new):
    noise = learnt(*forms)
    known = {url_key(form.format(NAMES[0])) for form in forms}
    assert noise.known_key(new.format(NAMES[0]), title=NAMES[0]) in known
    assert noise.known_key(new.format("story-theatre"), title="story-theatre") is None


def test_the_page_of_the_article_goes_before_its_aliases():
    clean = [page(f"https://c.example/{name}", name) for name in NAMES]
    tokens = [page(f"https://c.example/{name}?t=1", name, alias=True) for name in NAMES]
    noise = UrlNoise.learn([*tokens, *clean])
    assert noise.known_key(f"https://c.example/{NAMES[1]}?t=2", title=None) == f"c.example/{NAMES[1]}"


def test_what_chooses_the_article_is_no_noise():
    pages = [page(f"https://c.example/article?id={number}", f"s{number}") for number in range(9)]
    tokens = [
        page(f"https://c.example/article?id={number}&t=x{number}", f"s{number}", alias=True) for number in range(9)
    ]
    noise = UrlNoise.learn([*pages, *tokens])
    assert noise.known_key("https://c.example/article?id=3&t=new", title=None) == "c.example/article?id=3"
    assert noise.known_key("https://c.example/article?id=99&t=new", title=None) is None
    assert noise.known_key("https://c.example/article?id=99", title=None) is None


def test_one_pair_of_different_stories_speaks_against_a_part():
    forms = ["https://c.example/n/{}?v=1", "https://c.example/n/{}?v=2"]
    other = [page("https://c.example/n/live?v=1", "one"), page("https://c.example/n/live?v=2", "two")]
    noise = learnt(*forms, more=other)
    assert noise.known_key(f"https://c.example/n/{NAMES[0]}?v=3", title=NAMES[0]) is None


def test_few_stories_tell_nothing():
    noise = learnt("https://c.example/n/{}?v=1", "https://c.example/n/{}?v=2", names=NAMES[:2])
    assert noise.known_key(f"https://c.example/n/{NAMES[0]}?v=3", title=NAMES[0]) is None


def test_another_title_is_another_story():
    noise = learnt("https://c.example/n/{}?v=1", "https://c.example/n/{}?v=2")
    assert noise.known_key(f"https://c.example/n/{NAMES[0]}?v=3", title="Something else") is None


def test_variants_with_other_paths_make_no_section_noise():
    noise = learnt("https://c.example/n/{}", "https://c.example/amp/n/{}", "https://c.example/n/{}?u=1")
    assert noise.known_key("https://c.example/n/story-new", title=None) is None
    assert noise.known_key(f"https://c.example/n/{NAMES[0]}?u=2", title=NAMES[0]) is not None


def test_nothing_is_known_of_an_unknown_publisher():
    assert UrlNoise.learn([]).known_key("https://c.example/n/a?b=1", title=None) is None
