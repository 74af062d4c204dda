"""Pages that only lead on are followed like redirects, under the same limits, and never for good."""

import pytest

from storage.outcomes import Outcome
from tests.integration.test_variants import feed, outcomes, urls
from tests.integration.variant_pages import OTHER, story

# What is fetched and read does not depend on the kind of database; the contracts hold both to what is recorded.
pytestmark = pytest.mark.parametrize("backend", ["sqlite"])

OLD, NEW = "/news/old-ferry", "/news/new-ferry"


def refresh(target: str, seconds: float = 0, text: str = "Moved.") -> str:
    return f'<html><head><meta http-equiv="refresh" content="{seconds}; url={target}"></head><body>{text}</body></html>'


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"body": refresh(NEW)}, "meta_refresh"),
        ({"body": "", "headers": {"Refresh": f"0; url={NEW}"}}, "refresh_header"),
        ({"body": f'<frameset rows="10%,*"><frame src="/menu"><frame src="{NEW}"></frameset>'}, "frame"),
        ({"body": f'<body><iframe src="{NEW}" width="100%" height="100%"></iframe></body>'}, "frame"),
    ],
)
def test_a_page_that_only_leads_on_is_a_hop(morgue, newsroom, answer, reason):
    newsroom.respond(OLD, **answer)
    newsroom.respond(NEW, body=story())
    report = morgue.crawl(newsroom.url(OLD))
    assert report.failed_targets == []
    assert outcomes(morgue, OLD) == [(Outcome.REDIRECTED, reason)]
    assert outcomes(morgue, NEW) == [(Outcome.CREATED, None)]
    assert [fetch.hop for fetch in morgue.fetches() if fetch.location] == [0]
    with morgue.store.reading() as transaction:
        # It may lead elsewhere tomorrow, so it is no alias and is asked again.
        page = transaction.pages.by_key(newsroom.url(OLD).removeprefix("http://"))
    assert page.alias_of is None
    report = morgue.crawl(newsroom.url(OLD))
    assert report.outcomes == {"unchanged": 1}


def test_a_page_that_refreshes_itself_is_read(morgue, newsroom):
    head = f'<meta http-equiv="refresh" content="5; url={OLD}">'
    newsroom.respond(OLD, body=story(head=head))
    newsroom.respond(NEW, body=story(*OTHER, head='<meta http-equiv="refresh" content="300">'))
    morgue.crawl(feed(newsroom, OLD, NEW))
    assert urls(morgue, newsroom) == sorted([OLD, NEW])


def test_an_article_that_leads_away_later_is_read(morgue, newsroom):
    newsroom.respond(OLD, body=story(head=f'<meta http-equiv="refresh" content="8; url={NEW}">'))
    morgue.crawl(feed(newsroom, OLD))
    assert urls(morgue, newsroom) == [OLD]
    assert newsroom.requests_for(NEW) == ()


@pytest.mark.parametrize(
    ("target", "outcome", "reason"),
    [
        ("ftp://files.example/x", Outcome.HTTP_ERROR, "redirect_scheme"),
        ("javascript:go()", Outcome.HTTP_ERROR, "redirect_scheme"),
        ("http://:80/x", Outcome.HTTP_ERROR, "redirect_malformed"),
    ],
)
def test_a_page_leads_nowhere_but_to_pages(morgue, newsroom, target, outcome, reason):
    newsroom.respond(OLD, body=refresh(target))
    morgue.crawl(newsroom.url(OLD))
    assert outcomes(morgue, OLD) == [(outcome, reason)]


def test_pages_that_lead_in_a_circle_are_left(morgue, newsroom):
    newsroom.respond(OLD, body=refresh(NEW))
    newsroom.respond(NEW, body=refresh(OLD))
    morgue.crawl(newsroom.url(OLD))
    assert outcomes(morgue, NEW) == [(Outcome.HTTP_ERROR, "redirect_loop")]


def test_pages_that_lead_on_without_end_are_left(morgue, newsroom):
    for number in range(40):
        newsroom.respond(f"/step/{number}", body=refresh(f"/step/{number + 1}"))
    report = morgue.crawl(newsroom.url("/step/0"))
    assert [result.reason for result in report.named] == ["too_many_redirects"]
    assert len(newsroom.requests) < 25


def test_a_page_does_not_lead_past_robots_txt(morgue, newsroom):
    newsroom.respond(OLD, body=refresh("/account/secret"))
    morgue.crawl(newsroom.url(OLD))
    assert outcomes(morgue, "/account/secret") == [(Outcome.BLOCKED_ROBOTS, "disallowed")]


def test_a_robots_txt_that_refreshes_is_not_followed(morgue, newsroom):
    newsroom.respond("/robots.txt", body=refresh("/other.txt"), headers={"Content-Type": "text/html"})
    newsroom.respond(OLD, body=story())
    morgue.crawl(newsroom.url(OLD))
    assert newsroom.requests_for("/other.txt") == ()


def test_frames_of_another_publisher_are_not_followed(morgue, newsroom):
    newsroom.respond(OLD, body='<frameset cols="*"><frame src="http://127.0.0.99:9/parked"></frameset>')
    morgue.crawl(newsroom.url(OLD))
    assert [(outcome, fetch) for outcome, fetch in outcomes(morgue, "/parked")] == []
    assert outcomes(morgue, OLD)[0][0] in (Outcome.NOT_ARTICLE, Outcome.SCRIPT_SHELL)


def test_scripts_are_not_run(morgue, newsroom):
    newsroom.respond(OLD, body=f"<html><body><script>location.href = '{NEW}'</script></body></html>")
    morgue.crawl(newsroom.url(OLD))
    assert newsroom.requests_for(NEW) == ()
    assert outcomes(morgue, OLD)[0][0] is Outcome.SCRIPT_SHELL
