"""Parts of addresses that never matter, told by a publisher's own pages."""

from datetime import UTC, datetime, timedelta

import pytest

from crawler.discovery.url_noise import UrlNoise
from crawler.urls import url_key
from storage.records import KnownPage

NAMES = [f"story-{name}" for name in ("harbour", "council", "ferry", "school")]


DAY = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def page(url, story, *, title=None, alias=False, published_at=None, article=None):
    return KnownPage(
        url=url,
        url_key=url_key(url),
        article=article or story,
        story=story,
        title=title,
        is_alias=alias,
        published_at=published_at,
    )


def known(noise, url, *, title=None, published_at=None):
    return noise.known_key(url, title=title, published_at=published_at)


def learnt(*forms, names=NAMES, more=()):
    """Learn from stories that stand at addresses of these forms, which have a `{}` for the name."""
    pages = [page(form.format(name), name, title=name, published_at=DAY) for form in forms for name in names]
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
    keys = {url_key(form.format(NAMES[0])) for form in forms}
    assert known(noise, new.format(NAMES[0]), title=NAMES[0], published_at=DAY) in keys
    assert known(noise, new.format("story-theatre"), title="story-theatre", published_at=DAY) is None


def test_the_page_of_the_article_goes_before_its_aliases():
    clean = [page(f"https://c.example/{name}", name) for name in NAMES]
    tokens = [page(f"https://c.example/{name}?t=1", name, alias=True) for name in NAMES]
    noise = UrlNoise.learn([*tokens, *clean])
    assert known(noise, f"https://c.example/{NAMES[1]}?t=2") == f"c.example/{NAMES[1]}"


def test_what_chooses_the_article_is_no_noise():
    pages = [page(f"https://c.example/article?id={number}", f"s{number}") for number in range(9)]
    tokens = [
        page(f"https://c.example/article?id={number}&t=x{number}", f"s{number}", alias=True) for number in range(9)
    ]
    noise = UrlNoise.learn([*pages, *tokens])
    assert known(noise, "https://c.example/article?id=3&t=new") == "c.example/article?id=3"
    assert known(noise, "https://c.example/article?id=99&t=new") is None
    assert known(noise, "https://c.example/article?id=99") is None


def test_one_pair_of_different_stories_speaks_against_a_part():
    forms = ["https://c.example/n/{}?v=1", "https://c.example/n/{}?v=2"]
    other = [page("https://c.example/n/live?v=1", "one"), page("https://c.example/n/live?v=2", "two")]
    noise = learnt(*forms, more=other)
    assert known(noise, f"https://c.example/n/{NAMES[0]}?v=3", title=NAMES[0]) is None


def test_few_stories_tell_nothing():
    noise = learnt("https://c.example/n/{}?v=1", "https://c.example/n/{}?v=2", names=NAMES[:2])
    assert known(noise, f"https://c.example/n/{NAMES[0]}?v=3", title=NAMES[0]) is None


def test_another_title_is_another_story():
    noise = learnt("https://c.example/n/{}?v=1", "https://c.example/n/{}?v=2")
    assert known(noise, f"https://c.example/n/{NAMES[0]}?v=3", title="Something else") is None


def test_variants_with_other_paths_make_no_section_noise():
    noise = learnt("https://c.example/n/{}", "https://c.example/amp/n/{}", "https://c.example/n/{}?u=1")
    assert known(noise, "https://c.example/n/story-new") is None
    assert known(noise, f"https://c.example/n/{NAMES[0]}?u=2", title=NAMES[0]) is not None


def test_nothing_is_known_of_an_unknown_publisher():
    assert known(UrlNoise.learn([]), "https://c.example/n/a?b=1") is None


PRINTED_TWICE = [
    *(f"https://c.example/n/{{}}-{number}" for number in (1000, 2000)),
    *(f"https://{host}.c.example/n/{{}}" for host in ("north", "south")),
]


@pytest.mark.parametrize("forms", [PRINTED_TWICE[:2], PRINTED_TWICE[2:]], ids=["number", "host"])
@pytest.mark.parametrize(
    ("title", "published_at"),
    [
        ("Letters to the editor", DAY + timedelta(days=7)),
        ("Letters to the editor", None),
        (None, DAY),
        (None, None),
    ],
)
def test_a_column_that_comes_out_again_is_not_its_first_issue(forms, title, published_at):
    """Though three other stories were printed twice, under another number or at another edition."""
    first = page(forms[0].format("letters"), "letters", title="Letters to the editor", published_at=DAY)
    twice = [
        page(form.format(name), name, title=name, published_at=DAY, article=form.format(name))
        for form in forms
        for name in NAMES
    ]
    noise = UrlNoise.learn([*twice, first])
    again = forms[1].format("letters").replace("2000", "3000")
    assert known(noise, again, title="Letters to the editor", published_at=DAY) == first.url_key
    assert known(noise, again, title=title, published_at=published_at) is None


def test_what_an_index_says_of_an_alias_is_known_of_the_article():
    names = [f"{name}-opens" for name in ("harbour", "council", "ferry")]
    clean = [page(f"https://c.example/n/{name}", name) for name in names]
    tokens = [page(f"https://c.example/n/{name}_a1", name, title=name, alias=True) for name in names]
    noise = UrlNoise.learn([*tokens, *clean])
    again = f"https://c.example/n/{names[0]}_b2"
    assert known(noise, again, title=names[0]) == url_key(f"https://c.example/n/{names[0]}")
    assert known(noise, again, title="Something else") is None


def test_tokens_in_the_paths_of_nearly_all_articles_need_no_date():
    noise = learnt("https://c.example/s/aa1/n/{}", "https://c.example/s/bb2/n/{}")
    again = f"https://c.example/s/cc3/n/{NAMES[0]}"
    assert known(noise, again, title=NAMES[0]) == url_key(f"https://c.example/s/aa1/n/{NAMES[0]}")
    assert known(noise, again) is None
