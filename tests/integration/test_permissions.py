"""What a page reserves is recorded; one that says `noarchive` is kept all the same, unless that is to be respected."""

import pytest
from rich.console import Console
from sqlalchemy import select

from crawler.report import print_report, report_row
from storage.outcomes import Outcome
from storage.rendering import article_row
from storage.tables import articles
from tests.integration.bad_answers import GOOD, PAGE, PARAGRAPHS, head, page
from tests.integration.bad_server import answer
from tests.integration.crawls import Morgue
from tests.newsroom_stories import STORIES

BY_HEADER = answer(PAGE, "X-Robots-Tag: noarchive")
BY_MARKUP = answer(page(head="<meta name=robots content='noindex, noarchive'>").encode())
BY_META = "<meta name=robots content=noarchive>"
CHALLENGE = (
    b"<title>Just a moment...</title><h1>Checking your browser before you go on</h1>"
    b"<p>Please turn JavaScript on and reload the page.</p>"
)


@pytest.fixture
def backend() -> str:
    """The kind of database does not matter."""
    return "sqlite"


def last_fetch(morgue: Morgue):
    return [fetch for fetch in morgue.fetches() if fetch.kind == "page"][-1]


def kept(morgue: Morgue) -> int:
    with morgue.store.reading() as transaction:
        return len(list(transaction.captures.all()))


@pytest.fixture
def respecting(morgue) -> Morgue:
    """A morgue that keeps nothing of what says `noarchive`."""
    morgue.crawl_settings = morgue.crawl_settings.model_copy(update={"respect_noarchive": True})
    return morgue


def reserved(morgue: Morgue) -> list[list[str]]:
    """Return what articles reserve, as programs read it."""
    with morgue.store.reading() as transaction:
        return list(transaction._connection.execute(select(articles.c.opt_outs)).scalars())


SAYING_IT = [BY_HEADER, BY_MARKUP, answer(PAGE, "X-Robots-Tag: MORGUE-TESTS: noarchive")]


@pytest.mark.parametrize("script", SAYING_IT)
def test_a_page_that_says_it_is_kept_and_the_word_is_recorded(morgue, server, script):
    server.scripts["/page"] = script
    assert morgue.crawl(server.url("/page")).outcomes == {"created": 1}
    assert last_fetch(morgue).opt_outs == ("noarchive",)
    assert (reserved(morgue), kept(morgue)) == ([["noarchive"]], 1)
    assert article_row(morgue.article(server.url("/page")))["opt_outs"] == ["noarchive"]


def test_a_304_takes_nothing_back_that_the_markup_said(morgue, server):
    url, markup = server.url("/page"), page(head=BY_META).encode()
    server.scripts["/page"] = answer(markup, 'ETag: "a"')
    morgue.crawl(url)
    server.scripts["/page"] = head('ETag: "a"', "X-Robots-Tag: noai", "Connection: close", status="304 Not Modified")
    assert morgue.crawl(url, recrawl=True).outcomes == {"not_modified": 1}
    assert reserved(morgue) == [["noarchive", "noai"]]
    server.scripts["/page"] = answer(markup, 'ETag: "b"')
    assert morgue.crawl(url, recrawl=True).outcomes == {"unchanged": 1}
    assert reserved(morgue) == [["noarchive"]]


@pytest.mark.parametrize("script", SAYING_IT)
def test_nothing_is_kept_of_a_page_that_asks_for_it_where_that_is_respected(respecting, server, script):
    morgue = respecting
    server.scripts["/page"] = script
    report = morgue.crawl(server.url("/page"))
    assert [(result.outcome, result.reason) for result in report.named] == [(Outcome.BLOCKED_ROBOTS, "noarchive")]
    assert last_fetch(morgue).opt_outs == ("noarchive",)
    assert (morgue.articles(), kept(morgue)) == ([], 0)
    server.scripts["/page"] = GOOD
    assert morgue.crawl(server.url("/page")).outcomes == {"created": 1}


def test_a_refusal_that_asks_for_it_is_not_kept_as_evidence_either(respecting, server):
    morgue = respecting
    server.scripts["/page"] = answer(PAGE, "X-Robots-Tag: noarchive", status="403 Forbidden")
    morgue.crawl(server.url("/page"))
    assert last_fetch(morgue).outcome is Outcome.BLOCKED_STATUS
    assert kept(morgue) == 0


def test_what_is_archived_already_stays_and_gets_no_new_version(respecting, server):
    morgue = respecting
    url = server.url("/page")
    server.scripts["/page"] = GOOD
    morgue.crawl(url)
    changed = page((*PARAGRAPHS, "The keeper has gone home, and nobody will say where that is."))
    server.scripts["/page"] = answer(changed.encode(), "X-Robots-Tag: noarchive")
    assert morgue.crawl(url, recrawl=True).outcomes == {"blocked_robots": 1}
    assert len(morgue.history(url)) == 1
    assert morgue.article(url).content.body == "\n\n".join(PARAGRAPHS)


def test_what_was_left_out_is_fetched_once_it_is_only_recorded(respecting, server):
    server.scripts["/page"] = BY_MARKUP
    assert respecting.crawl(server.url("/page")).outcomes == {"blocked_robots": 1}
    respecting.crawl_settings = respecting.crawl_settings.model_copy(update={"respect_noarchive": False})
    assert respecting.crawl(server.url("/page")).outcomes == {"created": 1}


def test_other_robots_rules_are_not_ours(morgue, server):
    server.scripts["/page"] = answer(PAGE, "X-Robots-Tag: otherbot: noarchive", "tdm-reservation: 1")
    assert morgue.crawl(server.url("/page")).outcomes == {"created": 1}
    assert last_fetch(morgue).opt_outs == ("tdm-reservation",)


@pytest.mark.parametrize(
    ("status", "outcome"), [("403 Forbidden", Outcome.BLOCKED_STATUS), ("503 Busy", Outcome.RATE_LIMITED)]
)
def test_a_refusal_says_why_where_its_body_does(morgue, server, status, outcome):
    server.scripts["/page"] = answer(CHALLENGE, status=status)
    morgue.crawl(server.url("/page"))
    fetch = last_fetch(morgue)
    assert (fetch.outcome, fetch.reason, fetch.status) == (outcome, "bot_check", int(status[:3]))
    assert kept(morgue) == 1


def test_the_page_of_a_404_may_ask_not_to_be_archived(respecting, server):
    morgue = respecting
    server.scripts["/page"] = answer(page(head=BY_META).encode(), status="404 Not Found")
    morgue.crawl(server.url("/page"))
    assert (last_fetch(morgue).outcome, last_fetch(morgue).opt_outs) == (Outcome.MISSING, ("noarchive",))
    assert kept(morgue) == 0
    server.scripts["/page"] = answer(page(head="<!--" + BY_META + "-->").encode(), status="404 Not Found")
    morgue.crawl(server.url("/page"))
    assert kept(morgue) == 1


def test_what_the_extractor_gave_up_may_ask_not_to_be_archived(respecting, server):
    morgue = respecting
    morgue.crawl_settings = morgue.crawl_settings.model_copy(update={"extract_timeout_seconds": 0.01})
    paragraphs = tuple(f"{number}. {text}" for number in range(200) for text in PARAGRAPHS)
    for head_, captures in ((BY_META, 0), ("", 1)):
        server.scripts["/page"] = answer(page(paragraphs, head=head_).encode())
        morgue.crawl(server.url("/page"))
        assert last_fetch(morgue).outcome is Outcome.EXTRACT_FAILED
        assert kept(morgue) == captures


def test_a_header_in_the_markup_counts_as_one(respecting, server):
    morgue = respecting
    server.scripts["/page"] = answer(page(head='<meta http-equiv="X-Robots-Tag" content="noarchive">').encode())
    assert morgue.crawl(server.url("/page")).outcomes == {"blocked_robots": 1}
    assert kept(morgue) == 0


def test_what_is_reserved_is_recorded_of_what_is_seen_again_too(morgue, server):
    url = server.url("/page")
    server.scripts["/page"] = answer(page(head='<meta name="tdm-reservation" content="1">').encode())
    morgue.crawl(url)
    assert morgue.crawl(url, recrawl=True).outcomes == {"unchanged": 1}
    assert last_fetch(morgue).reason == "same_bytes"
    assert last_fetch(morgue).opt_outs == ("tdm-reservation",)
    server.scripts["/page"] = answer(PAGE, 'ETag: "a"')
    morgue.crawl(url, recrawl=True)
    reserving = ('ETag: "a"', "X-Robots-Tag: noai", "Connection: close")
    server.scripts["/page"] = head(*reserving, status="304 Not Modified")
    assert morgue.crawl(url, recrawl=True).outcomes == {"not_modified": 1}
    assert last_fetch(morgue).opt_outs == ("noai",)


def test_what_a_further_part_reserves_is_recorded(morgue, server):
    more = (
        "The keeper's daughter rowed out in the storm of 1911 and came back alone in the early morning of Friday.",
        "She kept the light for another thirty years and never spoke of it to anybody in the town below.",
    )
    below = '<div><a href="/page?page=2">2</a></div></body>'
    server.scripts["/page"] = answer(page().replace("</body>", below).encode())
    second = page(more, head='<meta name="tdm-reservation" content="1">').encode()
    server.scripts["/page?page=2"] = answer(second, "Content-Usage: train-ai=n")
    assert morgue.crawl(server.url("/page")).outcomes == {"created": 1}
    of_fetches = {fetch.reason: fetch.opt_outs for fetch in morgue.fetches() if fetch.kind == "page"}
    assert of_fetches == {"part_2": ("train-ai=no", "tdm-reservation"), None: ()}
    assert reserved(morgue) == [["train-ai=no", "tdm-reservation"]]


def test_an_article_says_what_was_reserved_at_its_last_reading(morgue, server):
    for word, text in (("noai", PARAGRAPHS), ("noimageai", PARAGRAPHS), ("noml", PARAGRAPHS[:-1])):
        server.scripts["/page"] = answer(page(text).encode(), f"X-Robots-Tag: {word}", f"X-Built: {word}")
        morgue.crawl(server.url("/page"), recrawl=True)
        assert reserved(morgue) == [[word]]


def test_an_account_says_how_many_pages_ask_not_to_be_archived(respecting, newsroom):
    morgue = respecting
    urls = [newsroom.publish_story(story) for story in STORIES[:2]]
    newsroom.respond("/kept-by-nobody", headers={"X-Robots-Tag": "noarchive"}, body="<p>Nobody keeps this.</p>")
    report = morgue.crawl(*urls, newsroom.url("/kept-by-nobody"))
    assert report.outcomes == {"created": 2, "blocked_robots": 1}
    assert report.reasons == {"noarchive": 1}
    out = Console(record=True, width=200)
    print_report(out, report)
    assert "1 of them asks not to be archived (noarchive)" in out.export_text()
    assert report_row(report)["reasons"] == {"noarchive": 1}
