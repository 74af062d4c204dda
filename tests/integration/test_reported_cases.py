"""What servers were reported to do to readers of feeds: tokens in links, addresses that moved, lying validators."""

import itertools

import pytest

from storage.clock import utc_now
from storage.outcomes import Outcome
from storage.records import MOVES_TO_BELIEVE
from tests.integration.variant_pages import PARAGRAPHS, canonical, story
from tests.newsroom import Newsroom

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])

RSS = {"Content-Type": "application/rss+xml"}
SLUGS = [f"harbour-story-number-{number}" for number in range(6)]


def texts(slug):
    return [f"{paragraph} So it is told of {slug}, and of no other." for paragraph in PARAGRAPHS]


def feed(newsroom, links, *, guids=None):
    items = "".join(
        f"<item><title>{slug}</title><link>{link.replace('&', '&amp;')}</link>"
        + (f'<guid isPermaLink="false">{guids[slug]}</guid>' if guids else "")
        + "</item>"
        for slug, link in links.items()
    )
    body = f'<rss version="2.0"><channel><title>x</title>{items}</channel></rss>'
    newsroom.respond("/feed.rss", body=body, headers=RSS)
    return newsroom.url("/feed.rss")


def publish(newsroom, slug, *, path=None, clean=True, headers=None, edit=""):
    path = path or f"/news/{slug}"
    head = canonical(newsroom.url(f"/news/{slug}")) if clean else ""
    newsroom.respond(path, body=story(*texts(slug), headline=f"{slug}{edit}", head=head), headers=headers or {})


def asked(newsroom):
    return [request.path for request in newsroom.requests if request.path.startswith("/news/")]


def poll(morgue, newsroom, form, *, clean=True, guids=None):
    """Publish all stories at addresses of a form, and crawl; return what was asked for."""
    before = len(asked(newsroom))
    links = {slug: newsroom.url(form.format(slug)) for slug in SLUGS}
    for slug in SLUGS:
        publish(newsroom, slug, path=form.format(slug), clean=clean)
        publish(newsroom, slug, clean=clean)
    report = morgue.crawl(feed(newsroom, links, guids=guids))
    return report, len(asked(newsroom)) - before


@pytest.mark.parametrize("form", ["/news/{{}}?mod=rss_{}", "/news/{{}};jsessionid={}", "/news/s/{}x/{{}}"])
def test_links_that_are_new_at_each_poll_are_known_by_the_canonical_links_of_their_pages(morgue, newsroom, form):
    _, first = poll(morgue, newsroom, form.format(1))
    assert first == 2 * len(SLUGS)
    counts = [poll(morgue, newsroom, form.format(number)) for number in range(2, 6)]
    assert len(morgue.articles()) == len(SLUGS)
    assert [asked for _, asked in counts][1:] == [0, 0, 0]
    assert [report.feeds[0].new for report, _ in counts][1:] == [0, 0, 0]


def test_links_that_are_new_at_each_poll_are_known_by_their_guids(morgue, newsroom):
    guids = {slug: f"id-{number}" for number, slug in enumerate(SLUGS)}
    counts = [poll(morgue, newsroom, f"/news/{{}}?t={n}", clean=False, guids=guids)[1] for n in range(4)]
    assert counts == [len(SLUGS), 0, 0, 0]
    assert len(morgue.articles()) == len(SLUGS)


def test_links_that_are_new_at_each_poll_are_known_by_their_texts(morgue, newsroom):
    counts = [poll(morgue, newsroom, f"/news/{{}}?t={n}", clean=False)[1] for n in range(5)]
    assert counts[2:] == [0, 0, 0]


def test_a_guid_that_all_entries_share_or_that_is_given_to_another_story_says_nothing(morgue, newsroom):
    same = dict.fromkeys(SLUGS, "1")
    assert poll(morgue, newsroom, "/news/{}", guids=same)[1] == len(SLUGS)
    publish(newsroom, "quite-another")
    report = morgue.crawl(
        feed(newsroom, {"quite-another": newsroom.url("/news/quite-another")}, guids={"quite-another": "id-0"})
    )
    assert report.outcomes == {Outcome.CREATED: 1}


@pytest.mark.parametrize("title", [False, True])
def test_entries_that_are_numbered_anew_at_each_poll_are_told_apart(morgue, newsroom, title):
    for number, slug in enumerate(SLUGS[:3]):
        publish(newsroom, slug)
        own = f"<title>{slug}</title>" if title else ""
        item = f"<item>{own}<link>{newsroom.url(f'/news/{slug}')}</link><guid>1</guid></item>"
        newsroom.respond("/feed.rss", body=f'<rss version="2.0"><channel>{item}</channel></rss>', headers=RSS)
        morgue.crawl(newsroom.url("/feed.rss"))
        assert len(morgue.articles()) == number + 1


def test_a_page_whose_token_ran_out_before_it_was_read_is_asked_for_with_the_new_one(morgue, newsroom):
    slug = SLUGS[0]
    guids = {slug: "id"}
    newsroom.respond(f"/news/{slug}?t=1", status=403)
    morgue.crawl(feed(newsroom, {slug: newsroom.url(f"/news/{slug}?t=1")}, guids=guids))
    publish(newsroom, slug, path=f"/news/{slug}?t=2", clean=False)
    listed = feed(newsroom, {slug: newsroom.url(f"/news/{slug}?t=2")}, guids=guids)
    assert morgue.crawl(listed, recrawl=True).outcomes == {Outcome.CREATED: 1}
    assert len(asked(newsroom)) == 2


# Moved for good


@pytest.mark.parametrize("status", [301, 308])
def test_a_page_that_moved_for_good_costs_one_conditional_request_a_look(morgue, newsroom, status):
    url = newsroom.publish("ferry", headline="Ferry returns", body=PARAGRAPHS)
    morgue.crawl(url)
    old = url.removeprefix(newsroom.origin)
    newsroom.respond("/culture/ferry", body=story(), headers={"ETag": '"e"'})
    newsroom.redirect(old, newsroom.url("/culture/ferry"), status=status)
    for _ in range(MOVES_TO_BELIEVE):
        morgue.crawl(url, recrawl=True)
    before = len(newsroom.requests)
    morgue.crawl(url, recrawl=True)
    assert [request.path for request in newsroom.requests[before:]] == ["/culture/ferry"]
    assert newsroom.requests[-1].headers.get("if-none-match") == '"e"'
    # Where the new address fails, the old one may lead elsewhere by then.
    newsroom.respond("/culture/ferry", status=404)
    morgue.crawl(url, recrawl=True)
    before = len(newsroom.requests)
    morgue.crawl(url, recrawl=True)
    assert newsroom.requests[before].path == old


# Validators


def test_an_edit_that_constant_validators_hide_is_found(morgue, newsroom):
    headers = {"ETag": '"always"', "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
    newsroom.respond("/news/a", body=story(), headers=headers)
    url = newsroom.url("/news/a")
    morgue.crawl(url)
    newsroom.respond("/news/a", status=304)
    morgue.crawl(url)
    newsroom.respond("/news/a", body=story(headline="It is another headline now"), headers=headers)
    assert morgue.crawl(url).outcomes == {Outcome.UPDATED: 1}
    assert "if-none-match" not in newsroom.requests[-1].headers
    # From then on nobody believes them.
    morgue.crawl(url)
    assert "if-none-match" not in newsroom.requests[-1].headers


def test_a_feed_whose_validators_stay_the_same_is_read_all_the_same(morgue, newsroom):
    headers = RSS | {"ETag": '"always"'}
    body = '<rss version="2.0"><channel><title>x</title>{}</channel></rss>'
    item = "<item><title>{0}</title><link>{1}/news/{0}</link></item>"
    newsroom.respond("/feed.rss", body=body.format(item.format("one", newsroom.origin)), headers=headers)
    morgue.crawl(newsroom.url("/feed.rss"))
    newsroom.respond("/feed.rss", status=304)
    morgue.crawl(newsroom.url("/feed.rss"))
    items = "".join(item.format(name, newsroom.origin) for name in ("one", "two"))
    newsroom.respond("/feed.rss", body=body.format(items), headers=headers)
    assert morgue.crawl(newsroom.url("/feed.rss")).feeds[0].new == 1
    for _ in range(2):
        morgue.crawl(newsroom.url("/feed.rss"))
        assert "if-none-match" not in newsroom.requests_for("/feed.rss")[-1].headers


def test_validators_from_the_future_are_not_sent_back(morgue, newsroom):
    future = {"Last-Modified": "Sat, 16 Nov 2041 19:11:00 GMT", "ETag": '"Sat, 16 Nov 2041 19:11:00 GMT"'}
    newsroom.respond("/news/a", body=story(), headers=future)
    morgue.crawl(newsroom.url("/news/a"))
    morgue.crawl(newsroom.url("/news/a"))
    sent = newsroom.requests[-1].headers
    assert not {"if-none-match", "if-modified-since"} & set(sent)


# Hosts that refuse


@pytest.mark.parametrize("status", [401, 403, 451])
def test_a_host_that_refuses_page_after_page_is_left_alone_and_the_rest_stays_owed(morgue, newsroom, status):
    slugs = [f"story-{number}" for number in range(30)]
    for slug in slugs:
        newsroom.respond(f"/news/{slug}", status=status)
    listed = feed(newsroom, {slug: newsroom.url(f"/news/{slug}") for slug in slugs})
    report = morgue.crawl(listed)
    assert len(asked(newsroom)) == 5
    assert {hold.reason for hold in report.held.values()} == {"host_refuses"}
    with morgue.store.reading() as transaction:
        backlog = transaction.pages.backlog(transaction.feeds.by_url(listed).source_id, now=utc_now(), limit=99)
    assert backlog.due == 25


def test_a_host_that_refuses_what_it_redirects_to_is_left_alone_too(morgue, newsroom):
    slugs = [f"story-{number}" for number in range(30)]
    for slug in slugs:
        newsroom.respond(f"/news/{slug}", status=302, headers={"Location": f"/full/{slug}"})
        newsroom.respond(f"/full/{slug}", status=403)
    report = morgue.crawl(feed(newsroom, {slug: newsroom.url(f"/news/{slug}") for slug in slugs}))
    assert sum("/full/" in request.target for request in newsroom.requests) == 5
    assert {hold.reason for hold in report.held.values()} == {"host_refuses"}


def test_a_few_refused_pages_among_others_hold_nothing_up(morgue, newsroom):
    links = {}
    for number, slug in itertools.product(range(4), ("free", "paid", "paid-too")):
        name = f"{slug}-{number}"
        links[name] = newsroom.url(f"/news/{name}")
        if slug == "free":
            publish(newsroom, name)
        else:
            newsroom.respond(f"/news/{name}", status=403)
    morgue.crawl(feed(newsroom, links))
    assert len(asked(newsroom)) == len(links)


# Links of an aggregator


@pytest.fixture
def aggregator():
    with Newsroom("127.0.0.2") as aggregator:
        yield aggregator


def links_of(aggregator, newsroom, slugs, *, status=302, to="/news/{}"):
    for number, slug in enumerate(slugs):
        aggregator.redirect(f"/r/{number}", newsroom.url(to.format(slug)), status=status)
    return feed(aggregator, {slug: aggregator.url(f"/r/{number}") for number, slug in enumerate(slugs)})


@pytest.mark.parametrize("status", [302, 303, 307])
@pytest.mark.parametrize("publisher_first", [True, False])
@pytest.mark.parametrize("clean", [True, False])
def test_links_of_an_aggregator_belong_to_the_articles_of_the_publisher(
    morgue, newsroom, aggregator, status, publisher_first, clean
):
    for slug in SLUGS:
        publish(newsroom, slug, clean=clean)
    own = feed(newsroom, {slug: newsroom.url(f"/news/{slug}") for slug in SLUGS})
    of_links = links_of(aggregator, newsroom, SLUGS, status=status)
    for listed in (own, of_links) if publisher_first else (of_links, own):
        morgue.crawl(listed)
    assert sorted(article.url for article in morgue.articles()) == sorted(newsroom.url(f"/news/{s}") for s in SLUGS)
    before = len(newsroom.requests) + len(aggregator.requests)
    morgue.crawl(own, recrawl=True)
    morgue.crawl(of_links, recrawl=False)
    pages = [one for one in (*newsroom.requests, *aggregator.requests) if one.path.startswith(("/news/", "/r/"))]
    assert len(pages) <= 4 * len(SLUGS), "each article once more, its link not again"
    assert len(newsroom.requests) + len(aggregator.requests) - before == len(SLUGS) + 2


def test_a_notice_of_another_publisher_takes_no_articles(morgue, newsroom, aggregator):
    publish(newsroom, "notice")
    morgue.crawl(newsroom.url("/news/notice"))
    of_links = links_of(aggregator, newsroom, SLUGS, to="/news/notice")
    morgue.crawl(of_links)
    for number, slug in enumerate(SLUGS):
        publish(aggregator, slug, path=f"/r/{number}", clean=False)
    morgue.crawl(of_links, recrawl=True)
    found = {article.url for article in morgue.articles()}
    assert len(found & {aggregator.url(f"/r/{number}") for number in range(len(SLUGS))}) >= len(SLUGS) - 1
