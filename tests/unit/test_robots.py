"""robots.txt by RFC 9309: groups, rules, answers, lifetimes, and what sites reserve in it.

Cases of Protego's own matter (how a pattern meets a path) are here too, so that another version of it, or another
library, is held to the same.
"""

import asyncio
import codecs
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crawler.fetching import FetchRequest
from crawler.robots import KEPT_AT_LEAST, KEPT_FOR, RETRY_UNREACHABLE_AFTER, RobotsAnswer, read_answer
from crawler.robots_rules import MAX_BYTES, condensed, decode_robots, read_rules
from storage.model import FetchKind
from storage.outcomes import Outcome
from storage.robots_files import RobotsFile, RobotsState
from tests.slots_in_memory import RobotsInMemory, SlotsInMemory
from tests.unit.test_fetching import ScriptedSite, fetcher_of

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ORIGIN = "https://a.example"

# The example of RFC 9309, 5.1, with other names.
SEVERAL_GROUPS = """\
User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot
"""
# The example of RFC 9309, 5.2.
LONGEST_MATCH = """\
User-Agent: foobot
Allow: /example/page/
Disallow: /example/page/disallowed.gif
"""


@pytest.mark.parametrize(
    ("text", "token", "path", "allowed"),
    [
        (SEVERAL_GROUPS, "morgue", "/picture.gif", False),
        (SEVERAL_GROUPS, "morgue", "/picture.gif?x", True),
        (SEVERAL_GROUPS, "morgue", "/example/", False),
        (SEVERAL_GROUPS, "morgue", "/example", True),
        (SEVERAL_GROUPS, "morgue", "/publications/x", True),
        (SEVERAL_GROUPS, "morgue", "/publications/x.gif", True),
        (SEVERAL_GROUPS, "foobot", "/", False),
        (SEVERAL_GROUPS, "foobot", "/example/page.html", True),
        (SEVERAL_GROUPS, "foobot", "/example/allowed.gif", True),
        (SEVERAL_GROUPS, "foobot", "/example/other.gif", False),
        (SEVERAL_GROUPS, "FooBot", "/", False),
        (SEVERAL_GROUPS, "barbot", "/example/page.html", False),
        (SEVERAL_GROUPS, "barbot", "/example/", True),
        (SEVERAL_GROUPS, "bazbot", "/example/page.html", False),
        # A group without rules allows everything: that of everybody does not hold besides.
        (SEVERAL_GROUPS, "quxbot", "/example/", True),
        (LONGEST_MATCH, "foobot", "/example/page/", True),
        (LONGEST_MATCH, "foobot", "/example/page/disallowed.gif", False),
        (LONGEST_MATCH, "morgue", "/example/page/disallowed.gif", True),
    ],
)
def test_the_examples_of_the_rfc(text, token, path, allowed):
    assert read_rules(text, token=token, origin=ORIGIN).allow(ORIGIN + path) is allowed


@pytest.mark.parametrize(
    ("lines", "path", "allowed"),
    [
        # Whom a group is for.
        ("User-agent: morgue\nDisallow: /", "/x", False),
        ("user-agent:MORGUE\ndisallow:/", "/x", False),
        ("User-agent: morgue/1.0\nDisallow: /", "/x", False),
        ("User-agent: Morgue (a crawler)\nDisallow: /", "/x", False),
        ("User-agent: morgue*\nDisallow: /", "/x", False),
        ("User-agent: morg\nDisallow: /", "/x", True),
        ("User-agent: morgue-news\nDisallow: /", "/x", True),
        ("User-agent: themorgue\nDisallow: /", "/x", True),
        ("User-agent: other\nDisallow: /", "/x", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: morgue\nAllow: /", "/x", True),
        ("User-agent: morgue\nDisallow: /a\n\nUser-agent: *\nDisallow: /b", "/b", True),
        # Groups of the same name are one.
        (
            "User-agent: morgue\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: morgue\nDisallow: /b",
            "/a",
            False,
        ),
        (
            "User-agent: morgue\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: morgue\nDisallow: /b",
            "/b",
            False,
        ),
        ("User-agent: *\nDisallow: /a\nUser-agent: *\nDisallow: /b", "/a", False),
        # What ends a group and what does not: lines that the RFC does not know are not there.
        ("User-agent: morgue\nSitemap: https://a.example/s.xml\nDisallow: /", "/x", False),
        ("User-agent: morgue\nNoindex: /y\nUser-agent: x\nDisallow: /", "/x", False),
        ("User-agent: morgue\nContent-Signal: ai-train=no\nUser-agent: x\nDisallow: /", "/x", False),
        ("User-agent: morgue\n\n# a remark\n\nDisallow: /", "/x", False),
        ("User-agent: morgue\nDisallow:\nUser-agent: x\nDisallow: /", "/x", True),
        ("User-agent: morgue\nCrawl-delay: 5\nUser-agent: x\nDisallow: /", "/x", True),
        ("Disallow: /", "/x", True),
        ("Disallow: /\nUser-agent: *\nDisallow: /a", "/x", True),
        # How lines are written.
        ("  User-agent : *  \n  Disallow : /a  # why", "/a", False),
        ("User-agent: *\rDisallow: /a\rDisallow: /b", "/b", False),
        ("User-agent: *\r\nDisallow: /a\r\n", "/a", False),
        ("User-agent: *\nDisallow: /a\u2028b", "/a", True),
        ("User-agent *\nDisallow /a", "/a", False),
        ("User-agent: *\nDissallow: /a", "/a", False),
        ("Useragent: *\nDisallow: /a", "/a", False),
        ("User-agent: *\nAllow Disallow: /a", "/a", True),
        # Longest match, and Allow where both are as long.
        ("User-agent: *\nDisallow: /\nAllow: /p", "/page", True),
        ("User-agent: *\nAllow: /p\nDisallow: /", "/other", False),
        ("User-agent: *\nAllow: /folder\nDisallow: /folder", "/folder/page", True),
        ("User-agent: *\nDisallow: /folder\nAllow: /folder", "/folder/page", True),
        ("User-agent: *\nAllow: /page\nDisallow: /*.htm", "/page.htm", False),
        ("User-agent: *\nAllow: /page\nDisallow: /*.ph", "/page.php5", True),
        ("User-agent: *\nAllow: /$\nDisallow: /", "/", True),
        ("User-agent: *\nAllow: /$\nDisallow: /", "/page.htm", False),
        # Patterns.
        ("User-agent: *\nDisallow: /fish", "/fish.html", False),
        ("User-agent: *\nDisallow: /fish", "/fishheads/yummy", False),
        ("User-agent: *\nDisallow: /fish", "/Fish.asp", True),
        ("User-agent: *\nDisallow: /fish", "/catfish", True),
        ("User-agent: *\nDisallow: /fish*", "/fish", False),
        ("User-agent: *\nDisallow: /fish/", "/fish", True),
        ("User-agent: *\nDisallow: /fish/", "/fish/?id=1", False),
        ("User-agent: *\nDisallow: /*.php", "/folder/file.php?x", False),
        ("User-agent: *\nDisallow: /*.php", "/windows.PHP", True),
        ("User-agent: *\nDisallow: /*.php$", "/file.php?x", True),
        ("User-agent: *\nDisallow: /*.php$", "/file.php", False),
        ("User-agent: *\nDisallow: /fish*.php", "/fishheads/catfish.php?x", False),
        ("User-agent: *\nDisallow: /*?", "/a?b", False),
        ("User-agent: *\nDisallow: /*?", "/a", True),
        ("User-agent: *\nDisallow: *", "/x", False),
        ("User-agent: *\nDisallow: /a$b", "/a$b", False),
        ("User-agent: *\nDisallow:", "/x", True),
        # Percent-encoding (RFC 9309, 2.2.2): what is escaped and what is not are the same, but for what is reserved.
        ("User-agent: *\nDisallow: /foo/bar/ツ", "/foo/bar/%E3%83%84", False),
        ("User-agent: *\nDisallow: /foo/bar/%E3%83%84", "/foo/bar/%e3%83%84", False),
        ("User-agent: *\nDisallow: /foo/bar/%62%61%7A", "/foo/bar/baz", False),
        ("User-agent: *\nDisallow: /a%3cd.html", "/a%3Cd.html", False),
        ("User-agent: *\nDisallow: /a%2fb.html", "/a/b.html", True),
        ("User-agent: *\nDisallow: /path/file-with-a-%2A.html", "/path/file-with-a-*.html", False),
        # The file itself is never forbidden.
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        # What is no robots.txt says nothing; but rules that stand in a page are rules.
        ("<!doctype html>\n<html><body>\n<p>User-agent: * is a word</p></body></html>", "/x", True),
        ("<html><pre>\nUser-agent: *\nDisallow: /\n</pre></html>", "/x", False),
        ("", "/x", True),
    ],
)
def test_rules(lines, path, allowed):
    assert read_rules(lines, token="morgue", origin=ORIGIN).allow(ORIGIN + path) is allowed


@pytest.mark.parametrize("text", [SEVERAL_GROUPS, LONGEST_MATCH, "Sitemap /s.xml\nContent-Usage: train-ai=n"])
def test_what_is_kept_of_a_file_says_the_same(text):
    kept = condensed(f"<html>\n# a remark\nHost: x\n{text}")
    assert "<" not in kept
    assert "#" not in kept
    for token in ("morgue", "foobot", "barbot", "quxbot"):
        whole, part = (read_rules(some, token=token, origin=ORIGIN) for some in (text, kept))
        assert part.sitemaps == whole.sitemaps
        assert part.opt_outs(ORIGIN) == whole.opt_outs(ORIGIN)
        for path in ("/", "/example/", "/example/page.html", "/x.gif"):
            assert part.allow(ORIGIN + path) == whole.allow(ORIGIN + path)


def test_a_crawler_without_a_name_obeys_what_is_for_everybody():
    rules = read_rules("User-agent: *\nDisallow: /a\n\nUser-agent: morgue\nDisallow: /b", token="", origin=ORIGIN)
    assert (rules.allow(f"{ORIGIN}/a"), rules.allow(f"{ORIGIN}/b")) == (False, True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("User-agent: *\nCrawl-delay: 5", 5.0),
        ("User-agent: *\nCrawl-delay: 0.5 # please", 0.5),
        ("User-agent: *\nCrawl-delay: 10s", 10.0),
        ("User-agent: *\nCrawl-delay: -3", None),
        ("User-agent: *\nCrawl-delay: inf", None),
        ("User-agent: *\nCrawl-delay: soon", None),
        ("User-agent: *\nCrawl-delay: 5\n\nUser-agent: morgue\nDisallow: /a", None),
        ("User-agent: morgue\nCrawl-delay: 2\nUser-agent: *\nCrawl-delay: 9", 2.0),
        ("User-agent: *\nCrawl-delay: 2\n\nUser-agent: *\nCrawl-delay: 9", 9.0),
        ("Crawl-delay: 5\nUser-agent: *\nDisallow: /a", None),
    ],
)
def test_crawl_delay(text, seconds):
    assert read_rules(text, token="morgue", origin=ORIGIN).crawl_delay == seconds


def test_sitemaps_stand_in_any_group_and_are_made_absolute():
    text = (
        "Sitemap: https://a.example/one.xml\nUser-agent: other\nDisallow: /\nsitemap: /two.xml\n"
        "Sitemap https://b.example/three.xml\nSitemap:\nSitemap: https://a.example/one.xml\n"
    )
    assert read_rules(text, token="morgue", origin=ORIGIN).sitemaps == (
        "https://a.example/one.xml",
        "https://a.example/two.xml",
        "https://b.example/three.xml",
    )


@pytest.mark.parametrize(
    ("text", "path", "opt_outs"),
    [
        ("User-agent: *\nContent-Signal: search=yes, ai-train=no, ai-input=no", "/x", ("ai-input=no", "ai-train=no")),
        ("Content-Signal: ai-train=no\nUser-agent: *\nDisallow: /a", "/x", ("ai-train=no",)),
        ("User-agent: *\nContent-Signal: ai-train=no\n\nUser-agent: morgue\nAllow: /", "/x", ("ai-train=no",)),
        ("User-agent: other\nContent-Signal: ai-train=no", "/x", ()),
        ("User-agent: *\nContent-Usage: train-ai=n", "/x", ("train-ai=n",)),
        ("User-agent: *\nContent-Usage: /news/ train-ai=n", "/x", ()),
        ("User-agent: *\nContent-Usage: /news/ train-ai=n", "/news/1", ("train-ai=n",)),
        ("User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /free/ train-ai=y", "/free/1", ()),
        ("User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /", "/x", ("ccbot=disallow", "gptbot=disallow")),
        ("User-agent: GPTBot\nDisallow: /\nAllow: /free/", "/x", ()),
        ("User-agent: *\nDisallow: /", "/x", ()),
    ],
)
def test_uses_that_are_reserved(text, path, opt_outs):
    assert read_rules(text, token="morgue", origin=ORIGIN).opt_outs(ORIGIN + path) == opt_outs


TEXT = "User-agent: *\nDisallow: /ä\n"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (TEXT.encode(), TEXT),
        (codecs.BOM_UTF8 + TEXT.encode(), TEXT),
        (TEXT.encode("utf-16"), TEXT),
        (TEXT.encode("utf-16-le"), TEXT),
        (TEXT.encode("utf-16-be"), TEXT),
        (b"User-agent: *\nDisallow: /\xe4\n", "User-agent: *\nDisallow: /\ufffd\n"),
        (b"User-\x00agent: *\n", "User-agent: *\n"),
        (b"", ""),
    ],
)
def test_decoding(body, text):
    assert decode_robots(body) == text


def test_an_endless_file_is_read_to_its_limit_and_no_line_by_half():
    body = b"User-agent: *\n" + b"#" * (MAX_BYTES - 14 - 12) + b"\nDisallow: /private\nDisallow: /other"
    assert len(body) > MAX_BYTES
    assert body[:MAX_BYTES].endswith(b"\nDisallow: /")
    rules = read_rules(decode_robots(body), token="morgue", origin=ORIGIN)
    assert rules.allow(f"{ORIGIN}/x")
    assert rules.allow(f"{ORIGIN}/other")


def copy(state=RobotsState.RULES, *, rules="User-agent: *\nDisallow: /private\nCrawl-delay: 4", **facts):
    facts = {"fetched_at": NOW, "expires_at": NOW + KEPT_FOR} | facts
    return RobotsFile(origin=ORIGIN, host="a.example", state=state, rules=rules, **facts)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (RobotsAnswer(status=200, text="user-agent: *\n"), RobotsState.RULES),
        (RobotsAnswer(status=204), RobotsState.RULES),
        (RobotsAnswer(status=404), RobotsState.ALLOWED),
        (RobotsAnswer(status=410), RobotsState.ALLOWED),
        (RobotsAnswer(status=401), RobotsState.ALLOWED),
        (RobotsAnswer(status=403), RobotsState.ALLOWED),
        (RobotsAnswer(status=302), RobotsState.ALLOWED),
        (RobotsAnswer(status=429), RobotsState.UNREACHABLE),
        (RobotsAnswer(status=500), RobotsState.UNREACHABLE),
        (RobotsAnswer(status=503), RobotsState.UNREACHABLE),
        (RobotsAnswer(status=None), RobotsState.UNREACHABLE),
        (RobotsAnswer(outcome=Outcome.NETWORK_ERROR, reason="dns"), RobotsState.UNREACHABLE),
        (RobotsAnswer(outcome=Outcome.TOO_LARGE, reason="body"), RobotsState.UNREACHABLE),
    ],
)
@pytest.mark.parametrize("last", [None, copy()])
def test_what_an_answer_makes(answer, state, last):
    file = read_answer(answer, origin=ORIGIN, last=last, now=NOW)
    assert file.state is state
    if state is RobotsState.UNREACHABLE:
        # The last good copy holds, however old it is; without one nothing is allowed.
        assert file.rules == (last.rules if last else None)
        assert file.expires_at == NOW + RETRY_UNREACHABLE_AFTER
    else:
        assert file.expires_at == NOW + KEPT_FOR


def test_a_last_copy_that_allowed_everything_is_a_good_one_too():
    last = copy(RobotsState.ALLOWED, rules=None)
    for _ in range(2):
        last = read_answer(RobotsAnswer(status=503), origin=ORIGIN, last=last, now=NOW)
        assert (last.state, last.rules) == (RobotsState.UNREACHABLE, "")
    robots = RobotsInMemory()
    robots.copies[ORIGIN] = copy(RobotsState.ALLOWED, rules=None, expires_at=NOW)
    answers = {f"{ORIGIN}/robots.txt": (500, {}, b""), f"{ORIGIN}/x": (200, {}, b"x")}
    hops, sitemaps, asked, _ = fetch(answers, f"{ORIGIN}/x", robots=robots)
    assert hops[0].outcome is None
    assert sitemaps == []
    assert asked == [f"{ORIGIN}/robots.txt", f"{ORIGIN}/x"]


@pytest.mark.parametrize(
    ("cache_control", "lifetime"),
    [
        (None, KEPT_FOR),
        ("max-age=7200", timedelta(hours=2)),
        ("public, Max-Age=7200", timedelta(hours=2)),
        ("max-age=60", KEPT_AT_LEAST),
        ("max-age=31536000", KEPT_FOR),
        ("s-maxage=60", KEPT_FOR),
        ("max-age=soon", KEPT_FOR),
        ("no-store", KEPT_FOR),
    ],
)
def test_a_copy_is_kept_for_a_day_at_most_and_an_hour_at_least(cache_control, lifetime):
    answer = RobotsAnswer(status=200, cache_control=cache_control)
    assert read_answer(answer, origin=ORIGIN, last=None, now=NOW).expires_at == NOW + lifetime


def fetch(answers, *urls, robots=None, slots=None):
    """Fetch some URLs of scripted sites one after the other."""
    site, robots = ScriptedSite(answers), robots or RobotsInMemory()

    async def all_of_them():
        async with fetcher_of(site, robots=robots, slots=slots) as fetcher:
            requests = [FetchRequest(url=url, kind=FetchKind.PAGE) for url in urls]
            fetched = [(await fetcher.fetch(request)).last for request in requests]
            return fetched, await fetcher.sitemaps(urls[0])

    fetched, sitemaps = asyncio.run(all_of_them())
    return fetched, sitemaps, [url for url, _ in site.asked], robots


def test_a_copy_that_another_process_made_is_used():
    robots = RobotsInMemory()
    robots.copies[ORIGIN] = copy(rules="User-agent: *\nDisallow: /private\nSitemap: /s.xml")
    (hop,), sitemaps, asked, _ = fetch({}, f"{ORIGIN}/private", robots=robots)
    assert (hop.outcome, hop.reason) == (Outcome.BLOCKED_ROBOTS, "disallowed")
    assert sitemaps == [f"{ORIGIN}/s.xml"]
    assert asked == []


def test_each_crawler_keeps_the_crawl_delay_that_is_meant_for_it():
    robots, slots = RobotsInMemory(), SlotsInMemory()
    body = b"User-agent: bluebot\nDisallow: /x\nCrawl-delay: 25\n\nUser-agent: *\nDisallow: /x"
    site = ScriptedSite({f"{ORIGIN}/robots.txt": (200, {}, body)})

    async def crawl_delay_kept_by(token):
        async with fetcher_of(site, robots=robots, slots=slots, token=token) as fetcher:
            await fetcher.fetch(FetchRequest(url=f"{ORIGIN}/x", kind=FetchKind.PAGE))
            return fetcher._politeness._crawl_delay("a.example")

    async def all_in_turn():
        return [await crawl_delay_kept_by(token) for token in ("morgue", "bluebot", "morgue")]

    assert asyncio.run(all_in_turn()) == [0.0, 25.0, 0.0]
    assert [url for url, _ in site.asked].count(f"{ORIGIN}/robots.txt") == 1


def test_an_old_copy_is_renewed_and_holds_while_there_is_no_other():
    robots = RobotsInMemory()
    robots.copies[ORIGIN] = copy(rules="User-agent: *\nDisallow: /private", expires_at=NOW)
    hops, _, asked, robots = fetch(
        {f"{ORIGIN}/robots.txt": (500, {}, b""), f"{ORIGIN}/x": (200, {}, b"x")},
        f"{ORIGIN}/x",
        f"{ORIGIN}/private",
        robots=robots,
    )
    assert [hop.outcome for hop in hops] == [None, Outcome.BLOCKED_ROBOTS]
    assert asked == [f"{ORIGIN}/robots.txt", f"{ORIGIN}/x"]
    assert robots.copies[ORIGIN].state is RobotsState.UNREACHABLE
    assert [(row.kind, row.outcome) for row in robots.rows] == [(FetchKind.ROBOTS, Outcome.HTTP_ERROR)]


class SlowSite(ScriptedSite):
    """Takes a moment for every answer."""

    async def attempt(self, url, headers, *, max_bytes=None):
        answered = await super().attempt(url, headers, max_bytes=max_bytes)
        await asyncio.sleep(0.05)
        return answered


def test_of_two_processes_that_wait_for_one_robots_file_one_asks_for_it():
    robots, slots = RobotsInMemory(), SlotsInMemory()
    body = b"User-agent: *\nDisallow: /private"
    site = SlowSite({f"{ORIGIN}/robots.txt": (200, {}, body), f"{ORIGIN}/x": (200, {}, b"x")})

    async def both():
        async with (
            fetcher_of(site, robots=robots, slots=slots) as one,
            fetcher_of(site, robots=robots, slots=slots) as two,
        ):
            request = FetchRequest(url=f"{ORIGIN}/x", kind=FetchKind.PAGE)
            first, second = await asyncio.gather(one.fetch(request), two.fetch(request))
            forbidden = await two.fetch(FetchRequest(url=f"{ORIGIN}/private", kind=FetchKind.PAGE))
            return [fetched.last.outcome for fetched in (first, second, forbidden)]

    assert asyncio.run(both()) == [None, None, Outcome.BLOCKED_ROBOTS]
    assert [url for url, _ in site.asked] == [f"{ORIGIN}/robots.txt", f"{ORIGIN}/x", f"{ORIGIN}/x"]
    assert slots.states["a.example"].requests_today == 3


@pytest.mark.parametrize(("ahead", "asks_again"), [(timedelta(seconds=5), False), (timedelta(days=30), True)])
def test_a_copy_from_before_the_clock_was_set_back_is_renewed(ahead, asks_again):
    robots = RobotsInMemory()
    robots.copies[ORIGIN] = copy(fetched_at=NOW + ahead, expires_at=NOW + ahead + KEPT_FOR)
    _, _, asked, robots = fetch({}, f"{ORIGIN}/private", robots=robots)
    assert (f"{ORIGIN}/robots.txt" in asked) is asks_again
    assert (robots.copies[ORIGIN].fetched_at == NOW) is asks_again


def test_a_clock_that_is_set_back_makes_copies_old_that_are_in_use():
    now = [NOW + timedelta(days=30)]
    site, robots = ScriptedSite({}), RobotsInMemory()

    async def check_twice():
        async with fetcher_of(site, robots=robots, now=lambda: now[0]) as fetcher:
            await fetcher.sitemaps(f"{ORIGIN}/")
            now[0] = NOW
            await fetcher.sitemaps(f"{ORIGIN}/")

    asyncio.run(check_twice())
    assert [url for url, _ in site.asked] == [f"{ORIGIN}/robots.txt"] * 2


def test_what_one_process_could_not_reach_another_tries_for_itself():
    robots = RobotsInMemory()
    unreachable = copy(RobotsState.UNREACHABLE, rules=None, outcome=Outcome.NETWORK_ERROR, reason="refused")
    robots.copies[ORIGIN] = unreachable
    hops, _, asked, _ = fetch({f"{ORIGIN}/x": (200, {}, b"x")}, f"{ORIGIN}/x", robots=robots)
    assert hops[0].outcome is None
    assert asked == [f"{ORIGIN}/robots.txt", f"{ORIGIN}/x"]
    robots.copies[ORIGIN] = copy(RobotsState.UNREACHABLE, rules=None, reason="robots_unreachable")
    hops, _, asked, _ = fetch({}, f"{ORIGIN}/x", robots=robots)
    assert (hops[0].outcome, hops[0].reason) == (Outcome.BLOCKED_ROBOTS, "robots_unreachable")
    assert asked == []


def test_redirects_of_a_robots_file_are_followed_to_other_hosts():
    answers = {f"{ORIGIN}/robots.txt": (301, {"Location": "https://b.example/elsewhere"}, b"")}
    answers["https://b.example/elsewhere"] = (200, {}, b"User-agent: *\nDisallow: /private")
    hops, _, asked, robots = fetch(answers, f"{ORIGIN}/private")
    assert hops[0].reason == "disallowed"
    assert asked == [f"{ORIGIN}/robots.txt", "https://b.example/elsewhere"]
    assert [(row.hop, row.outcome) for row in robots.rows] == [(0, Outcome.REDIRECTED), (1, Outcome.LISTED)]


def test_a_robots_file_that_leads_on_for_ever_allows_everything():
    answers = {
        f"{ORIGIN}/{name}": (302, {"Location": f"/{name}x"}, b"") for name in ("robots.txt" + "x" * n for n in range(9))
    }
    hops, _, asked, _ = fetch(answers, f"{ORIGIN}/page")
    assert len(asked) == 7
    assert hops[0].outcome is Outcome.MISSING


def test_a_host_that_is_held_is_not_asked_for_its_robots_file_and_nothing_is_concluded_from_that():
    slots = SlotsInMemory()
    answers = {"https://www.a.example/x": (429, {"Retry-After": "60"}, b"")}
    hops, _, asked, robots = fetch(answers, "https://www.a.example/x", f"{ORIGIN}/x", slots=slots)
    assert [hop.reason for hop in hops] == ["status_429", "host_asked_to_wait"]
    assert ORIGIN not in robots.copies
    assert asked == ["https://www.a.example/robots.txt", "https://www.a.example/x"]


def test_a_robots_file_that_leads_to_a_host_that_is_held_is_not_asked_for_again_with_every_page():
    answers = {
        f"{ORIGIN}/robots.txt": (301, {"Location": "https://b.example/robots.txt"}, b""),
        "https://b.example/robots.txt": (429, {"Retry-After": "86400"}, b""),
    }
    robots, slots = RobotsInMemory(), SlotsInMemory()
    fetch(answers, f"{ORIGIN}/0", robots=robots, slots=slots)
    robots.copies[ORIGIN] = replace(robots.copies[ORIGIN], rules="User-agent: *\nDisallow: /0", expires_at=NOW)
    robots.rows.clear()
    hops, _, asked, _ = fetch(answers, *(f"{ORIGIN}/{number}" for number in range(6)), robots=robots, slots=slots)
    assert asked == [f"{ORIGIN}/robots.txt", *(f"{ORIGIN}/{number}" for number in range(1, 6))]
    assert (hops[0].outcome, hops[0].reason) == (Outcome.BLOCKED_ROBOTS, "disallowed")
    assert [(row.hop, row.outcome, row.reason) for row in robots.rows] == [
        (0, Outcome.REDIRECTED, None),
        (1, Outcome.RATE_LIMITED, "host_asked_to_wait"),
    ]
    copy = robots.copies[ORIGIN]
    assert (copy.state, copy.expires_at) == (RobotsState.UNREACHABLE, NOW + RETRY_UNREACHABLE_AFTER)


def test_a_robots_file_that_asks_for_time_holds_its_host():
    hops, _, asked, _ = fetch(
        {f"{ORIGIN}/robots.txt": (503, {"Retry-After": "60"}, b"")}, f"{ORIGIN}/x", "https://www.a.example/x"
    )
    assert [hop.reason for hop in hops] == ["robots_unreachable", "host_asked_to_wait"]
    assert asked == [f"{ORIGIN}/robots.txt"]


def test_uses_that_are_reserved_stand_in_the_rows():
    answers = {
        f"{ORIGIN}/robots.txt": (200, {}, b"User-agent: *\nContent-Signal: ai-train=no\nDisallow: /private"),
        f"{ORIGIN}/x": (200, {}, b"x"),
    }
    hops, _, _, _ = fetch(answers, f"{ORIGIN}/x", f"{ORIGIN}/private")
    assert [hop.opt_outs for hop in hops] == [("ai-train=no",), ("ai-train=no",)]


def test_reading_rules_is_quick_whatever_they_are():
    logging.getLogger("protego").setLevel(logging.WARNING)
    text = "User-agent: *\n" + "".join(f"Disallow: /{number}*{'*a' * 5}$\n" for number in range(12_000))
    rules = read_rules(text, token="morgue", origin=ORIGIN)
    assert rules.allow(f"{ORIGIN}/{'a' * 2000}")
