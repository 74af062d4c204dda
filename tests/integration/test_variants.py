"""AMP, print and other pages that name another address: one article, at the address that they name."""

import pytest

from storage.outcomes import Outcome
from tests.integration.variant_pages import OTHER, PARAGRAPHS, canonical, list_of, story

# What is fetched and read does not depend on the kind of database; the contracts hold both to what is recorded.
pytestmark = pytest.mark.parametrize("backend", ["sqlite"])

PLAIN = "/news/ferry-returns"
AMP = f"{PLAIN}/amp"


def feed(newsroom, *paths: str) -> str:
    newsroom.respond(
        "/list.rss", body=list_of(newsroom.origin, *paths), headers={"Content-Type": "application/rss+xml"}
    )
    return newsroom.url("/list.rss")


def page(newsroom, path: str, names: str | None = None, *paragraphs: str, **more) -> None:
    head = canonical(names if names is None or "://" in names else newsroom.url(names)) if names else ""
    newsroom.respond(path, body=story(*paragraphs, head=head, **more))


def outcomes(morgue, path: str) -> list[tuple[Outcome, str | None]]:
    return [(fetch.outcome, fetch.reason) for fetch in morgue.fetches() if fetch.url.endswith(path)]


def urls(morgue, newsroom) -> list[str]:
    return sorted(article.url.removeprefix(newsroom.origin) for article in morgue.articles())


@pytest.mark.parametrize(
    ("path", "attributes", "reason"),
    [
        (AMP, "", "amp"),
        (f"{PLAIN}?outputType=amp", "", "amp"),
        ("/lite/ferry", "amp", "amp"),
        (f"{PLAIN}?print=1", "", "print"),
        ("/print/ferry-returns", "", "print"),
        ("/id/4711", "", "canonical"),
    ],
)
def test_a_variant_is_looked_at_once_and_its_article_is_at_the_address_it_names(
    morgue, newsroom, path, attributes, reason
):
    page(newsroom, path, PLAIN, attributes=attributes)
    page(newsroom, PLAIN, PLAIN)
    listed = feed(newsroom, path)
    morgue.crawl(listed)
    assert urls(morgue, newsroom) == [PLAIN]
    assert outcomes(morgue, path) == [(Outcome.REDIRECTED, reason)]
    assert [fetch.location for fetch in morgue.fetches() if fetch.url.endswith(path)] == [newsroom.url(PLAIN)]
    assert morgue.article(newsroom.url(path)).url == newsroom.url(PLAIN)
    report = morgue.crawl(listed, recrawl=True)
    assert report.outcomes == {"unchanged": 1}
    assert [event.kind for event in morgue.events()] == ["created"]


def test_og_url_is_asked_where_a_variant_has_no_canonical_link(morgue, newsroom):
    own = f'<meta property="og:url" content="{newsroom.url(PLAIN)}">'
    newsroom.respond(AMP, body=story(head=own))
    newsroom.respond(PLAIN, body=story(head=own))
    morgue.crawl(feed(newsroom, AMP))
    assert urls(morgue, newsroom) == [PLAIN]
    # A plain page is not moved by it.
    newsroom.respond("/news/whale", body=story(*OTHER, headline="A whale", head=own))
    morgue.crawl(feed(newsroom, "/news/whale"))
    assert urls(morgue, newsroom) == [PLAIN, "/news/whale"]


def test_a_variant_whose_address_answers_with_nothing_stands_alone(morgue, newsroom):
    page(newsroom, AMP, PLAIN)
    listed = feed(newsroom, AMP)
    morgue.crawl(listed)
    assert urls(morgue, newsroom) == [AMP]
    assert outcomes(morgue, AMP) == [(Outcome.REDIRECTED, "amp"), (Outcome.CREATED, None)]
    assert outcomes(morgue, PLAIN) == [(Outcome.MISSING, "not_found")]
    assert morgue.crawl(listed, recrawl=True).outcomes["unchanged"] == 1


@pytest.mark.parametrize("status", [500, 403])
def test_a_variant_waits_for_an_address_that_cannot_be_reached_now_or_was_refused_once(morgue, newsroom, status):
    page(newsroom, AMP, PLAIN)
    newsroom.respond(PLAIN, status=status)
    listed = feed(newsroom, AMP)
    morgue.crawl(listed)
    assert urls(morgue, newsroom) == []
    newsroom.forget(PLAIN)
    page(newsroom, PLAIN, PLAIN)
    morgue.crawl(listed, recrawl=True)
    assert urls(morgue, newsroom) == [PLAIN]


def test_nobody_waits_for_ever(morgue, newsroom):
    page(newsroom, AMP, PLAIN)
    newsroom.respond(PLAIN, status=500)
    listed = feed(newsroom, AMP)
    for _ in range(3):
        morgue.crawl(listed, recrawl=True)
    assert urls(morgue, newsroom) == [AMP]


@pytest.mark.parametrize(
    "names",
    ["/", "/index.html", "/en/", "/news/", "http://other.example/ferry", "http://127.0.0.9/ferry", "http://[bad", "#"],
)
def test_addresses_that_cannot_be_an_article_of_its_are_not_believed(morgue, newsroom, names):
    page(newsroom, "/news/ferry", names)
    morgue.crawl(feed(newsroom, "/news/ferry"))
    assert urls(morgue, newsroom) == ["/news/ferry"]
    assert outcomes(morgue, "/news/ferry") == [(Outcome.CREATED, None)]


def test_a_page_that_names_several_addresses_is_believed_none(morgue, newsroom):
    head = canonical(newsroom.url(PLAIN)) + canonical(newsroom.url("/news/other"))
    newsroom.respond("/id/1", body=story(head=head))
    morgue.crawl(feed(newsroom, "/id/1"))
    assert urls(morgue, newsroom) == ["/id/1"]


def test_a_page_that_names_another_article_is_an_article_all_the_same(morgue, newsroom):
    page(newsroom, "/news/whale", PLAIN, *OTHER, headline="A whale at the lighthouse")
    page(newsroom, PLAIN, PLAIN)
    for paths in (("/news/whale",), ("/news/whale", PLAIN)):
        morgue.crawl(feed(newsroom, *paths))
        assert urls(morgue, newsroom) == sorted([PLAIN, "/news/whale"])
    assert morgue.article(newsroom.url("/news/whale")).content.headline == "A whale at the lighthouse"


def test_a_template_that_names_one_address_on_all_pages_costs_no_article(morgue, newsroom):
    paths = [f"/news/story-number-{number}" for number in range(6)]
    for number, path in enumerate(paths):
        page(newsroom, path, "/latest/story", f"Only here: {number * 7} boats. " * 9, headline=f"Story {number}")
    page(newsroom, "/latest/story", None, *OTHER, headline="A whale")
    morgue.crawl(feed(newsroom, *paths))
    assert urls(morgue, newsroom) == sorted([*paths, "/latest/story"])


def test_pages_that_name_each_other_are_one_article(morgue, newsroom):
    page(newsroom, "/a/one-ferry", "/a/two-ferry")
    page(newsroom, "/a/two-ferry", "/a/one-ferry")
    morgue.crawl(feed(newsroom, "/a/one-ferry"))
    assert urls(morgue, newsroom) == ["/a/two-ferry"]
    assert morgue.article(newsroom.url("/a/one-ferry")).version_count == 1


def test_an_endless_chain_of_names_is_followed_twice(morgue, newsroom):
    for number in range(9):
        page(newsroom, f"/a/ferry-{number}x", f"/a/ferry-{number + 1}x")
    morgue.crawl(feed(newsroom, "/a/ferry-0x"))
    assert urls(morgue, newsroom) == ["/a/ferry-2x"]
    assert morgue.article(newsroom.url("/a/ferry-0x")).url == newsroom.url("/a/ferry-2x")


def test_an_article_is_not_moved_by_a_name_that_it_gives_later(morgue, newsroom):
    page(newsroom, "/a/ferry-first")
    morgue.crawl(feed(newsroom, "/a/ferry-first"))
    page(newsroom, "/a/ferry-first", PLAIN)
    page(newsroom, PLAIN, PLAIN)
    report = morgue.crawl(feed(newsroom, "/a/ferry-first"), recrawl=True)
    assert "redirected" not in report.outcomes
    assert urls(morgue, newsroom) == ["/a/ferry-first"]


def test_a_variant_of_a_known_article_is_its_alias_at_once(morgue, newsroom):
    page(newsroom, PLAIN, PLAIN)
    morgue.crawl(feed(newsroom, PLAIN))
    page(newsroom, AMP, PLAIN, *PARAGRAPHS[:2])
    report = morgue.crawl(feed(newsroom, AMP))
    assert report.outcomes == {"redirected": 1}
    assert len(newsroom.requests_for(PLAIN)) == 1
    assert morgue.article(newsroom.url(AMP)).version_count == 1


def test_a_named_variant_ends_with_its_article(morgue, newsroom):
    page(newsroom, AMP, PLAIN)
    page(newsroom, PLAIN, PLAIN)
    for outcome in (Outcome.CREATED, Outcome.UNCHANGED):
        report = morgue.crawl(newsroom.url(AMP))
        assert [(result.url, result.outcome) for result in report.named] == [(newsroom.url(AMP), outcome)]
        assert report.failed_targets == []
    assert urls(morgue, newsroom) == [PLAIN]


def test_a_named_variant_that_stands_alone_ends_with_its_own_article(morgue, newsroom):
    page(newsroom, AMP, PLAIN)
    report = morgue.crawl(newsroom.url(AMP))
    assert [(result.url, result.outcome) for result in report.named] == [(newsroom.url(AMP), Outcome.CREATED)]
    assert report.failed_targets == []
    assert urls(morgue, newsroom) == [AMP]


def test_a_redirect_to_a_variant_ends_at_the_address_that_names(morgue, newsroom):
    newsroom.redirect("/go/1", AMP, status=302)
    page(newsroom, AMP, PLAIN)
    page(newsroom, PLAIN, PLAIN)
    morgue.crawl(feed(newsroom, "/go/1"))
    assert urls(morgue, newsroom) == [PLAIN]


def test_a_variant_that_lives_takes_over_the_article_of_an_address_that_is_gone(morgue, newsroom):
    page(newsroom, AMP, PLAIN)
    page(newsroom, PLAIN, PLAIN)
    listed = feed(newsroom, AMP)
    morgue.crawl(listed)
    newsroom.forget(PLAIN)
    assert morgue.crawl(listed, recrawl=True).outcomes == {"missing": 1}
    # The same crawl that finds the address empty asks the variant, and nobody asks for the empty address any more.
    assert morgue.crawl(listed, recrawl=True).outcomes == {"gone": 1, "unchanged": 1}
    assert urls(morgue, newsroom) == [AMP]
    assert [event.kind for event in morgue.events()] == ["created", "gone", "restored"]
    assert morgue.crawl(listed, recrawl=True).outcomes == {"unchanged": 1}
    page(newsroom, PLAIN, PLAIN)
    assert morgue.crawl(newsroom.url(PLAIN)).failed_targets == []
    assert urls(morgue, newsroom) == [AMP]
