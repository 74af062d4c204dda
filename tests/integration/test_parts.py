"""An article over several pages is one article, whole or not at all."""

import json
import signal
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta

import pytest
import time_machine

from storage.archive import Archive
from storage.clock import utc_now
from storage.model import FetchKind
from storage.outcomes import Outcome
from storage.verify import verify
from tests.integration.commands import MORGUE, environment, run, wait_until
from tests.integration.test_variants import feed, outcomes, urls
from tests.integration.variant_pages import OTHER, PARAGRAPHS, canonical, list_of, pager, story

FIRST = "/news/ferry-returns"
SECOND, THIRD = f"{FIRST}?page=2", f"{FIRST}?page=3"
TEXTS = (PARAGRAPHS[:3], PARAGRAPHS[3:], OTHER)


@pytest.fixture
def backend() -> str:
    """What is fetched and read does not depend on the kind of database; the contracts hold both to what is recorded."""
    return "sqlite"


def publish(newsroom, *paths: str, texts=TEXTS, head: str = "") -> None:
    """Put the parts of an article at these addresses, each with its numbers under it and the standfirst above it."""
    texts = texts[: len(paths)]
    for path, text in zip(paths, texts, strict=True):
        below = pager(*("" if other == path else other for other in paths))
        newsroom.respond(path, body=story("The line is open again.", *text, below=below, head=head))


def body(texts=TEXTS) -> str:
    return "\n\n".join(("The line is open again.", *(paragraph for text in texts for paragraph in text)))


def test_all_parts_are_the_body_of_one_version(morgue, newsroom):
    publish(newsroom, FIRST, SECOND, THIRD)
    morgue.crawl(feed(newsroom, FIRST))
    assert urls(morgue, newsroom) == [FIRST]
    article = morgue.article(newsroom.url(FIRST))
    assert article.content.body == body()
    assert outcomes(morgue, FIRST) == [(Outcome.CREATED, None)]
    assert outcomes(morgue, SECOND) == [(Outcome.NOT_ARTICLE, "part_2")]
    assert outcomes(morgue, THIRD) == [(Outcome.NOT_ARTICLE, "part_3")]
    pages = {fetch.page_id for fetch in morgue.fetches() if fetch.kind is FetchKind.PAGE}
    assert len(pages) == 1


def test_the_captures_of_all_parts_are_kept_with_the_version(morgue, newsroom):
    publish(newsroom, FIRST, SECOND, THIRD)
    morgue.crawl(feed(newsroom, FIRST))
    version = morgue.history(newsroom.url(FIRST))[0]
    archive = Archive(morgue.archive.directory, max_file_bytes=10**9, software="test")
    with morgue.store.reading() as transaction:
        captures = transaction.captures.of_version(version.version_id)
        report = verify(archive, transaction.captures.all())
    assert [capture.url.removeprefix(newsroom.origin) for capture in captures] == [FIRST, SECOND, THIRD]
    assert report.healthy, report.summary()


def test_parts_are_asked_unconditionally_and_are_unchanged_when_all_are(morgue, newsroom):
    for path, text, others in ((FIRST, TEXTS[0], ("", SECOND)), (SECOND, TEXTS[1], (FIRST, ""))):
        html = story(*text, below=pager(*others))
        newsroom.respond(path, body=html, headers={"ETag": '"one"', "Last-Modified": "Mon, 02 Mar 2026 12:00:00 GMT"})
    listed = feed(newsroom, FIRST)
    morgue.crawl(listed)
    report = morgue.crawl(listed, recrawl=True)
    assert report.outcomes == {"unchanged": 1}
    assert outcomes(morgue, FIRST)[-1] == (Outcome.UNCHANGED, "same_bytes")
    requests = newsroom.requests_for(FIRST)
    assert len(requests) == 4
    assert not any("if-none-match" in request.headers for request in requests)


def test_an_edit_of_the_last_part_is_an_edit(morgue, newsroom):
    publish(newsroom, FIRST, SECOND)
    listed = feed(newsroom, FIRST)
    morgue.crawl(listed)
    edited = (TEXTS[0], (*TEXTS[1][:-1], "On the island two bands played, and the baker had sold out by seven."))
    publish(newsroom, FIRST, SECOND, texts=edited)
    assert morgue.crawl(listed, recrawl=True).outcomes == {"updated": 1}
    assert morgue.article(newsroom.url(FIRST)).content.body == body(edited)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [({"status": 500}, Outcome.HTTP_ERROR), ({"status": 200, "reset": True}, Outcome.NETWORK_ERROR)],
)
def test_what_cannot_be_had_whole_is_no_edit(morgue, newsroom, answer, outcome):
    publish(newsroom, FIRST, SECOND)
    listed = feed(newsroom, FIRST)
    morgue.crawl(listed)
    newsroom.respond(SECOND, **answer)
    morgue.crawl(listed, recrawl=True)
    assert outcomes(morgue, FIRST)[-1] == (outcome, "part_2")
    assert outcomes(morgue, SECOND)[-1][0] is outcome
    assert len(morgue.history(newsroom.url(FIRST))) == 1
    publish(newsroom, FIRST, SECOND)
    assert morgue.crawl(listed, recrawl=True).outcomes == {"unchanged": 1}


def test_a_new_article_waits_for_its_parts_but_not_for_ever(morgue, newsroom):
    publish(newsroom, FIRST, SECOND)
    newsroom.respond(SECOND, status=500)
    listed = feed(newsroom, FIRST)
    for _ in range(3):
        morgue.crawl(listed, recrawl=True)
        assert morgue.articles() == []
    morgue.crawl(listed, recrawl=True)
    assert morgue.article(newsroom.url(FIRST)).content.body == body(TEXTS[:1])


def test_a_part_that_does_not_exist_ends_the_article(morgue, newsroom):
    publish(newsroom, FIRST, SECOND)
    newsroom.respond(SECOND, status=404)
    morgue.crawl(feed(newsroom, FIRST))
    assert morgue.article(newsroom.url(FIRST)).content.body == body(TEXTS[:1])


def test_a_part_that_robots_txt_forbids_ends_an_article_unless_it_was_had_before(morgue, newsroom):
    second = f"{FIRST}/2"
    newsroom.robots = f"User-agent: *\nDisallow: {second}\n"
    publish(newsroom, FIRST, second)
    listed = feed(newsroom, FIRST)
    morgue.crawl(listed)
    assert morgue.article(newsroom.url(FIRST)).content.body == body(TEXTS[:1])
    assert outcomes(morgue, second) == [(Outcome.BLOCKED_ROBOTS, "disallowed")]
    assert newsroom.requests_for(second) == ()
    # Without end: the article goes on being watched as far as it may be read.
    assert morgue.crawl(listed, recrawl=True).outcomes == {"unchanged": 1}


def test_a_part_that_was_had_and_is_forbidden_now_is_no_edit(morgue, newsroom):
    publish(newsroom, FIRST, SECOND)
    listed = feed(newsroom, FIRST)
    morgue.crawl(listed)
    newsroom.respond(SECOND, status=403)
    morgue.crawl(listed, recrawl=True)
    assert outcomes(morgue, FIRST)[-1] == (Outcome.BLOCKED_STATUS, "part_2")
    assert morgue.article(newsroom.url(FIRST)).version_count == 1


@pytest.mark.parametrize("answer", ["missing", "the first again"])
def test_a_part_that_is_missing_once_is_no_edit(morgue, newsroom, answer):
    publish(newsroom, FIRST, SECOND, THIRD)
    listed = feed(newsroom, FIRST)
    morgue.crawl(listed)
    if answer == "missing":
        newsroom.respond(THIRD, status=404)
    else:
        newsroom.redirect(THIRD, FIRST, status=302)
    for looks in (1, 2):
        morgue.crawl(listed, recrawl=True)
        assert outcomes(morgue, FIRST).count((Outcome.HTTP_ERROR, "part_3")) == looks
        assert morgue.article(newsroom.url(FIRST)).version_count == 1
    with time_machine.travel(utc_now() + timedelta(hours=1), tick=True):
        morgue.crawl(listed, recrawl=True)
    assert morgue.article(newsroom.url(FIRST)).version_count == 2
    assert morgue.article(newsroom.url(FIRST)).content.body == body(TEXTS[:2])


@pytest.mark.parametrize("named", [SECOND, THIRD])
def test_a_part_that_is_listed_leads_to_the_first(morgue, newsroom, named):
    publish(newsroom, FIRST, SECOND, THIRD)
    morgue.crawl(feed(newsroom, named))
    assert urls(morgue, newsroom) == [FIRST]
    assert outcomes(morgue, named)[0] == (Outcome.REDIRECTED, "part")
    assert morgue.article(newsroom.url(named)).content.body == body()


def test_a_named_part_ends_with_its_article(morgue, newsroom):
    publish(newsroom, FIRST, SECOND, head=canonical(newsroom.url(FIRST)))
    report = morgue.crawl(newsroom.url(SECOND))
    assert [(result.url, result.outcome) for result in report.named] == [(newsroom.url(SECOND), Outcome.CREATED)]
    assert morgue.article(newsroom.url(SECOND)).content.body == body(TEXTS[:2])


def test_parts_that_repeat_or_lead_in_a_circle_come_to_an_end(morgue, newsroom):
    below = '<a href="/news/ferry-returns?page=2">Next page</a>'
    newsroom.respond(FIRST, body=story(*TEXTS[0], below=below))
    newsroom.respond(SECOND, body=story(*TEXTS[1], below='<a rel="next" href="?page=3">Next page</a>'))
    newsroom.redirect(THIRD, FIRST, status=302)
    morgue.crawl(feed(newsroom, FIRST))
    assert morgue.article(newsroom.url(FIRST)).content.body == "\n\n".join((*TEXTS[0], *TEXTS[1]))


def test_parts_without_end_are_followed_to_a_limit(morgue, newsroom):
    for number in range(1, 30):
        path = FIRST if number == 1 else f"{FIRST}?page={number}"
        text = f"This is part {number} of a story that was written to have no end, and {number * 13} more will follow."
        below = f'<a rel="next" href="?page={number + 1}">Next page</a>'
        newsroom.respond(path, body=story(text, text.replace("story", "tale"), *PARAGRAPHS[:1], below=below))
    morgue.crawl(feed(newsroom, FIRST))
    assert len(newsroom.requests_for(FIRST)) == 20
    assert "This is part 20 of" in morgue.article(newsroom.url(FIRST)).content.body


def test_the_article_on_one_page_is_taken_where_a_link_offers_it(morgue, newsroom):
    publish(newsroom, FIRST, SECOND, THIRD)
    whole = '<a href="?page=all">View all</a>'
    newsroom.respond(FIRST, body=story("The line is open again.", *TEXTS[0], below=pager("", SECOND, THIRD) + whole))
    newsroom.respond(f"{FIRST}?page=all", body=story(*body().split("\n\n")))
    morgue.crawl(feed(newsroom, FIRST))
    assert morgue.article(newsroom.url(FIRST)).content.body == body()
    assert outcomes(morgue, "page=all") == [(Outcome.NOT_ARTICLE, "whole")]
    assert outcomes(morgue, SECOND) == []


@pytest.mark.parametrize("status", [404, 500])
def test_the_parts_are_followed_where_the_page_with_all_of_them_cannot_be_had(morgue, newsroom, status):
    publish(newsroom, FIRST, SECOND)
    whole = '<a href="?page=all">View all</a>'
    newsroom.respond(FIRST, body=story("The line is open again.", *TEXTS[0], below=pager("", SECOND) + whole))
    newsroom.respond(f"{FIRST}?page=all", status=status)
    morgue.crawl(feed(newsroom, FIRST))
    assert morgue.article(newsroom.url(FIRST)).content.body == body(TEXTS[:2])


def test_the_pages_of_a_section_are_no_parts(morgue, newsroom):
    links = "".join(f'<h2><a href="/news/story-about-{n}">A story about {n}</a></h2>' for n in range(12))
    newsroom.respond("/news/", body=f"<html><body>{links}<a href='?page=2'>2</a></body></html>")
    morgue.crawl(feed(newsroom, "/news/"))
    assert morgue.articles() == []
    assert len(newsroom.requests_for("/news/")) == 1


def test_a_part_list_in_a_feed_makes_one_article(morgue, newsroom):
    publish(newsroom, FIRST, SECOND, THIRD)
    listed = list_of(newsroom.origin, THIRD, SECOND, FIRST)
    newsroom.respond("/list.rss", body=listed, headers={"Content-Type": "application/rss+xml"})
    morgue.crawl(newsroom.url("/list.rss"))
    assert urls(morgue, newsroom) == [FIRST]
    assert morgue.article(newsroom.url(FIRST)).version_count == 1
    assert morgue.article(newsroom.url(FIRST)).content.body == body()


def test_an_old_version_is_read_again_in_all_its_parts(morgue, newsroom):
    settings = {"slug": "courier", "homepage": newsroom.url("/"), "feeds": [newsroom.url("/list.rss")]}
    morgue.add_source(**settings)
    publish(newsroom, FIRST, SECOND, THIRD)
    feed(newsroom, FIRST)
    morgue.crawl("courier")
    # Another time zone makes another extractor, and other bytes have to be read.
    morgue.add_source(**settings, timezone="Europe/Paris")
    publish(newsroom, FIRST, SECOND, THIRD, head="<!-- built again -->")
    assert morgue.crawl("courier", recrawl=True).outcomes == {"unchanged": 1}
    assert [event.kind for event in morgue.events()] == ["created"]
    edited = (*TEXTS[:2], (*TEXTS[2][:-1], "The last whale here was noted a hundred and eleven years ago, in May."))
    publish(newsroom, FIRST, SECOND, THIRD, texts=edited)
    morgue.add_source(**settings, timezone="Europe/Oslo")
    assert morgue.crawl("courier", recrawl=True).outcomes == {"updated": 1}
    assert morgue.article(newsroom.url(FIRST)).content.body == body(edited)


def test_a_first_part_that_was_archived_alone_is_no_baseline_for_the_whole(morgue, newsroom):
    settings = {"slug": "courier", "homepage": newsroom.url("/"), "feeds": [newsroom.url("/list.rss")]}
    morgue.add_source(**settings)
    publish(newsroom, FIRST, SECOND)
    newsroom.respond(SECOND, status=404)
    feed(newsroom, FIRST)
    morgue.crawl("courier")
    publish(newsroom, FIRST, SECOND)
    morgue.add_source(**settings, timezone="Europe/Paris")
    morgue.crawl("courier", recrawl=True)
    assert outcomes(morgue, FIRST)[-1] == (Outcome.COSMETIC, "new_baseline")
    assert morgue.article(newsroom.url(FIRST)).content.body == body(TEXTS[:2])
    assert [event.kind for event in morgue.events()] == ["created", "reread"]


SERIES = (
    ("The fire at the mill", "2026-01-05T06:00:00Z"),
    ("What the insurers found", "2026-01-19T06:00:00Z"),
    ("The son speaks out", "2026-02-02T06:00:00Z"),
)


def publish_series(newsroom, *paths: str, label: str, names_itself, headlines=SERIES) -> None:
    """Put the articles of a series at these addresses, each with links to the others under it."""
    for path, text, (headline, published) in zip(paths, TEXTS, headlines, strict=True):
        head = names_itself(newsroom.url(path), headline, published)
        links = (f'<a href="{other}">{label}{n}</a>' for n, other in enumerate(paths, start=1) if other != path)
        newsroom.respond(path, body=story(*text, headline=headline, head=head, below=f"<div>{' '.join(links)}</div>"))


def by_canonical(url, headline, published):
    return canonical(url) + f'<meta property="article:published_time" content="{published}">'


def by_linked_data(url, headline, published):
    said = {"@type": "NewsArticle", "headline": headline, "datePublished": published, "url": url}
    return f'<script type="application/ld+json">{json.dumps(said)}</script>'


@pytest.mark.parametrize("names_itself", [by_canonical, by_linked_data])
@pytest.mark.parametrize(
    ("address", "label"),
    [("/news/mill-fire-part-{}", "Part "), ("/news/mill-fire/teil-{}", "Teil "), ("/recaps/mill/season-2/{}", "")],
)
def test_the_articles_of_a_series_are_no_parts_of_each_other(morgue, newsroom, address, label, names_itself):
    paths = [address.format(number) for number in (1, 2, 3)]
    publish_series(newsroom, *paths, label=label, names_itself=names_itself)
    listed = list_of(newsroom.origin, *paths)
    newsroom.respond("/list.rss", body=listed, headers={"Content-Type": "application/rss+xml"})
    morgue.crawl(newsroom.url("/list.rss"))
    assert urls(morgue, newsroom) == paths
    for path, text, (headline, _) in zip(paths, TEXTS, SERIES, strict=True):
        content = morgue.article(newsroom.url(path)).content
        assert (content.headline, content.body) == (headline, "\n\n".join(text))
    assert morgue.crawl(newsroom.url("/list.rss"), recrawl=True).outcomes == {"unchanged": 3}


def test_articles_of_a_series_with_one_headline_are_told_apart_by_their_dates(morgue, newsroom):
    paths = [f"/news/diary-of-a-lighthouse-{number}" for number in (1, 2, 3)]
    same = [("Diary of a lighthouse", published) for _, published in SERIES]
    publish_series(newsroom, *paths, label="", names_itself=by_canonical, headlines=same)
    morgue.crawl(feed(newsroom, paths[0]))
    assert morgue.article(newsroom.url(paths[0])).content.body == "\n\n".join(TEXTS[0])
    assert (Outcome.NOT_ARTICLE, "other_article") in outcomes(morgue, paths[1])


def test_parts_that_name_themselves_are_parts_all_the_same(morgue, newsroom):
    for paths in ((FIRST, SECOND), ("/news/regatta", "/news/regatta-2")):
        for number, (path, text) in enumerate(zip(paths, TEXTS, strict=False), start=1):
            headline = "Ferry returns" if number == 1 else f"Ferry returns - page {number}"
            head = by_canonical(newsroom.url(path), headline, "2026-01-05T06:00:00Z")
            below = pager(*("" if other == path else other for other in paths))
            newsroom.respond(path, body=story(*text, headline=headline, head=head, below=below))
        morgue.crawl(feed(newsroom, paths[0]))
        assert morgue.article(newsroom.url(paths[0])).content.body == "\n\n".join((*TEXTS[0], *TEXTS[1]))


def test_the_further_pages_of_what_readers_say_are_no_parts(morgue, newsroom):
    def with_voices(number: int, text: str) -> str:
        voices = "".join(
            f"<div class=voice><p>Reader {number}{n} writes that the ferry is too loud for the whole harbour.</p></div>"
            for n in range(6)
        )
        links = f'<a href="{FIRST}">1</a> <a href="{SECOND}">2</a>'
        html = f"<html><head><title>Ferry returns</title></head><body><article><h1>Ferry returns</h1>{text}</article>"
        return f"{html}<div id=voices>{voices}<div>{links}</div></div></body></html>"

    newsroom.respond(FIRST, body=with_voices(1, "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)))
    newsroom.respond(SECOND, body=with_voices(2, ""))
    morgue.crawl(feed(newsroom, FIRST))
    assert "Reader 2" not in morgue.article(newsroom.url(FIRST)).content.body
    assert outcomes(morgue, SECOND) == [(Outcome.NOT_ARTICLE, "other_text")]


def test_a_last_part_that_is_shorter_than_what_readers_say_of_it_is_a_part(morgue, newsroom):
    publish(newsroom, FIRST, SECOND, texts=(PARAGRAPHS[:5], PARAGRAPHS[5:]))
    said = "".join(f"<p>{line}</p>" for line in OTHER)
    below = pager(FIRST, "") + f"<div class='voices'>{said}</div>"
    newsroom.respond(SECOND, body=story("The line is open again.", *PARAGRAPHS[5:], below=below))
    morgue.crawl(feed(newsroom, FIRST))
    assert PARAGRAPHS[5] in morgue.article(newsroom.url(FIRST)).content.body


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_crawl_that_is_interrupted_between_parts_keeps_their_rows_and_owes_the_article(folder, newsroom, number):
    publish(newsroom, FIRST, SECOND, THIRD)
    feed(newsroom, FIRST)
    words = [MORGUE, "crawl", newsroom.url("/list.rss")]
    slowly = environment({"MORGUE_CRAWL__DELAY_SECONDS": "3"})
    process = subprocess.Popen(words, cwd=folder, env=slowly, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: bool(newsroom.requests_for(FIRST)[1:]), process)
    process.send_signal(number)
    process.communicate()
    assert process.returncode == 130
    rows = fetched_pages(folder)
    assert rows == [(FIRST, "network_error", "stopped"), (SECOND, "not_article", "part_2")]
    assert run(folder, "crawl", newsroom.url("/list.rss")).returncode == 0
    assert fetched_pages(folder)[2:] == [
        (SECOND, "not_article", "part_2"),
        (THIRD, "not_article", "part_3"),
        (FIRST, "created", None),
    ]


def fetched_pages(folder) -> list[tuple[str, str, str | None]]:
    with closing(sqlite3.connect(folder / "morgue.db")) as database:
        rows = database.execute("SELECT url, outcome, reason FROM fetches WHERE kind = 'page' ORDER BY id").fetchall()
    return [("/" + url.split("/", 3)[3], outcome, reason) for url, outcome, reason in rows]
