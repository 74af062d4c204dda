"""What statuses, redirects and robots.txt decide."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import structlog

from crawler import body_memory, fetching
from crawler.download import Attempt
from crawler.fetching import Fetcher, FetchRequest, outcome_of_status
from crawler.page_bodies import wrong_type
from crawler.politeness import FetchingStopped, NoLongerOwed, Politeness
from storage.clock import steady_seconds
from storage.model import FetchKind, HttpExchange
from storage.outcomes import Outcome
from storage.robots_files import RobotsFile, RobotsState
from tests.slots_in_memory import RobotsInMemory, SlotsInMemory
from tests.works_here import WorksHere

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "conditional", "outcome"),
    [
        (200, False, None),
        (304, True, Outcome.NOT_MODIFIED),
        (304, False, Outcome.HTTP_ERROR),
        (204, False, Outcome.HTTP_ERROR),
        (401, False, Outcome.BLOCKED_STATUS),
        (403, False, Outcome.BLOCKED_STATUS),
        (451, False, Outcome.BLOCKED_STATUS),
        (404, False, Outcome.MISSING),
        (410, True, Outcome.MISSING),
        (429, False, Outcome.RATE_LIMITED),
        (503, False, Outcome.RATE_LIMITED),
        (500, False, Outcome.HTTP_ERROR),
        (999, False, Outcome.HTTP_ERROR),
    ],
)
def test_outcome_of_status(status, conditional, outcome):
    assert outcome_of_status(status, conditional=conditional)[0] is outcome


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/html; charset=utf-8", b"<html>", None),
        ("application/xhtml+xml", b"<?xml", None),
        (None, b"<!doctype html>", None),
        (None, b"", None),
        ("text/html", b"%PDF-1.7", "pdf"),
        ("application/pdf", b"anything", "pdf"),
        ("image/jpeg", b"anything", "image"),
        ("text/html", b"\xff\xd8\xff\xe0", "image"),
        ("application/json", b"{}", "json"),
        ("application/octet-stream", b"  <html>", None),
        ("application/octet-stream", b"\x00\x01", "unknown"),
        ("video/mp4", b"x", "video"),
    ],
)
def test_what_is_no_page_is_named(content_type, body, expected):
    assert wrong_type(content_type, body) == expected


class ScriptedSite:
    """Answers from a table of URL → (status, headers); all else is 404."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    async def attempt(self, url, headers, *, max_bytes=None):
        self.asked.append((url, dict(headers)))
        status, fields, body = self.answers.get(url, (404, {}, b""))
        exchange = HttpExchange(
            record_id=f"urn:uuid:{len(self.asked)}",
            url=url,
            method="GET",
            request_headers=(),
            status=status,
            reason_phrase="",
            http_version="HTTP/1.1",
            response_headers=tuple(fields.items()),
            body=body,
            ip_address=None,
            started_at=NOW,
            finished_at=NOW,
        )
        return Attempt(record_id=exchange.record_id, url=url, started_at=NOW, finished_at=NOW, exchange=exchange)


@contextlib.asynccontextmanager
async def fetcher_of(
    site,
    *,
    robots=None,
    slots=None,
    delay_seconds=0,
    token="morgue",
    now=lambda: NOW,
    workers=None,
    attempt_seconds=60.0,
    chain_seconds=600.0,
    **politeness,
):
    """A fetcher over a scripted site, with turns and robots.txt in memory, which others may share."""
    async with Politeness(
        slots or SlotsInMemory(), default_delay_seconds=delay_seconds, now=now, **politeness
    ) as politeness:
        yield Fetcher(
            site,
            politeness=politeness,
            robots_files=robots or RobotsInMemory(),
            robots_token=token,
            max_redirects=3,
            now=now,
            attempt_seconds=attempt_seconds,
            chain_seconds=chain_seconds,
            workers=workers or WorksHere(),
        )


def fetch(answers, url, **request):
    site, robots = ScriptedSite(answers), RobotsInMemory()

    async def once():
        async with fetcher_of(site, robots=robots) as fetcher:
            return await fetcher.fetch(FetchRequest(url=url, kind=FetchKind.PAGE, **request))

    return asyncio.run(once()), site, robots.rows


def test_each_hop_of_a_redirect_is_a_row_and_only_the_first_is_conditional():
    answers = {
        "http://a.example/1": (301, {"Location": "/2"}, b""),
        "http://a.example/2": (302, {"Location": "http://b.example/3"}, b""),
        "http://b.example/3": (200, {}, b"<p>here"),
    }
    fetched, site, robots_rows = fetch(answers, "http://a.example/1", etag='"x"')
    rows = [fetched.fetch(i) for i in range(3)]
    assert [(row.hop, row.url, row.outcome) for row in rows] == [
        (0, "http://a.example/1", Outcome.REDIRECTED),
        (1, "http://a.example/2", Outcome.REDIRECTED),
        (2, "http://b.example/3", None),
    ]
    assert len({row.chain_id for row in rows}) == 1
    assert rows[0].location == "http://a.example/2"
    conditional = {url: headers for url, headers in site.asked if headers}
    assert conditional == {"http://a.example/1": {"If-None-Match": '"x"'}}
    assert [row.url for row in robots_rows] == ["http://a.example/robots.txt", "http://b.example/robots.txt"]


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("/1", "redirect_loop"),
        ("ftp://a.example/x", "redirect_scheme"),
        ("file:///etc/passwd", "redirect_scheme"),
        ("http://a..b/", "redirect_malformed"),
        ("", "redirect_without_location"),
    ],
)
def test_redirects_that_lead_nowhere(location, reason):
    fetched, _, _ = fetch({"http://a.example/1": (302, {"Location": location}, b"")}, "http://a.example/1")
    assert (fetched.last.outcome, fetched.last.reason) == (Outcome.HTTP_ERROR, reason)


def test_redirects_end_at_the_limit():
    answers = {f"http://a.example/{n}": (302, {"Location": f"/{n + 1}"}, b"") for n in range(20)}
    fetched, _, _ = fetch(answers, "http://a.example/0")
    assert len(fetched.hops) == 4
    assert fetched.last.reason == "too_many_redirects"


def test_a_redirect_into_what_robots_forbids_is_not_followed():
    answers = {
        "http://b.example/robots.txt": (200, {}, b"User-agent: *\nDisallow: /private"),
        "http://a.example/1": (302, {"Location": "http://b.example/private/x"}, b""),
    }
    fetched, site, _ = fetch(answers, "http://a.example/1")
    assert (fetched.last.outcome, fetched.last.reason) == (Outcome.BLOCKED_ROBOTS, "disallowed")
    assert "http://b.example/private/x" not in [url for url, _ in site.asked]


def test_a_robots_file_that_answers_503_forbids_all():
    answers = {"http://a.example/robots.txt": (503, {}, b""), "http://a.example/1": (200, {}, b"x")}
    fetched, site, _ = fetch(answers, "http://a.example/1")
    assert (fetched.last.outcome, fetched.last.reason) == (Outcome.BLOCKED_ROBOTS, "robots_unreachable")
    assert [url for url, _ in site.asked] == ["http://a.example/robots.txt"]


def test_a_host_that_said_429_is_not_asked_again():
    site = ScriptedSite({"http://a.example/1": (429, {"Retry-After": "60"}, b"")})

    async def twice():
        async with fetcher_of(site) as fetcher:
            request = FetchRequest(url="http://a.example/1", kind=FetchKind.PAGE)
            return [(await fetcher.fetch(request)).last for _ in range(2)]

    first, second = asyncio.run(twice())
    assert (first.outcome, first.reason) == (Outcome.RATE_LIMITED, "status_429")
    assert (second.outcome, second.reason) == (Outcome.RATE_LIMITED, "host_asked_to_wait")
    assert [url for url, _ in site.asked].count("http://a.example/1") == 1


def test_those_in_line_behind_a_429_are_not_sent_and_robots_is_not_asked_either():
    answers = {f"http://a.example/{n}": (429, {"Retry-After": "3600"}, b"") for n in range(4)}
    site = ScriptedSite(answers)

    async def all_at_once():
        async with fetcher_of(site, delay_seconds=0.01) as fetcher:
            requests = [FetchRequest(url=url, kind=FetchKind.PAGE) for url in answers]
            first = await asyncio.gather(*(fetcher.fetch(request) for request in requests))
            later = await fetcher.fetch(FetchRequest(url="https://a.example/other", kind=FetchKind.PAGE))
        return [fetched.last.reason for fetched in first], later.last.reason

    reasons, later = asyncio.run(all_at_once())
    assert reasons == ["status_429"] + ["host_asked_to_wait"] * 3
    assert later == "host_asked_to_wait"
    assert [url for url, _ in site.asked] == ["http://a.example/robots.txt", "http://a.example/0"]


REDIRECTED_TO_B = {
    "http://a.example/1": (302, {"Location": "http://b.example/1"}, b""),
    "http://b.example/1": (200, {}, b"x"),
}


def test_a_chain_is_finished_though_who_asked_for_robots_first_had_begun_nothing():
    site, slots = ScriptedSite(REDIRECTED_TO_B), SlotsInMemory()

    async def stop():
        async with fetcher_of(site, slots=slots) as fetcher, Politeness(slots, default_delay_seconds=0) as other:
            async with other.slot("b.example"):
                tasks = []
                for url in ("http://b.example/2", "http://a.example/1"):
                    tasks.append(asyncio.create_task(fetcher.fetch(FetchRequest(url=url, kind=FetchKind.PAGE))))
                    await asyncio.sleep(0.05)  # until it waits for b.example's robots.txt
                fetcher._politeness.stop()
            return await asyncio.gather(*tasks, return_exceptions=True)

    not_begun, chain = asyncio.run(stop())
    assert isinstance(not_begun, FetchingStopped)
    assert [(hop.attempt.url, hop.outcome) for hop in chain.hops] == [
        ("http://a.example/1", Outcome.REDIRECTED),
        ("http://b.example/1", None),
    ]


def test_a_chain_that_would_wait_long_after_a_stop_ends_with_what_it_has():
    site = ScriptedSite({"http://a.example/1": (302, {"Location": "/2"}, b"")})
    robots = RobotsInMemory()
    origin = "http://a.example"
    robots.copies[origin] = RobotsFile(
        origin=origin, host="a.example", state=RobotsState.ALLOWED, fetched_at=NOW, expires_at=NOW + timedelta(hours=1)
    )

    async def stop():
        async with fetcher_of(site, robots=robots, delay_seconds=20.0) as fetcher:
            asking = asyncio.create_task(fetcher.fetch(FetchRequest(url="http://a.example/1", kind=FetchKind.PAGE)))
            await asyncio.sleep(0.1)
            fetcher._politeness.stop()
            return await asking

    begun = steady_seconds()
    chain = asyncio.run(stop())
    assert steady_seconds() - begun < 10
    assert [(hop.attempt.url, hop.outcome, hop.reason) for hop in chain.hops] == [
        ("http://a.example/1", Outcome.REDIRECTED, None),
        ("http://a.example/2", Outcome.RATE_LIMITED, "stopped"),
    ]
    assert [url for url, _ in site.asked] == ["http://a.example/1"]


def test_a_wall_clock_that_is_put_right_during_a_request_makes_no_host_slow():
    class ClockIsSet(ScriptedSite):
        async def attempt(self, url, headers, *, max_bytes=None):
            attempt = await super().attempt(url, headers, max_bytes=max_bytes)
            return replace(attempt, finished_at=NOW + timedelta(hours=1))

    slots = SlotsInMemory()

    async def once():
        async with fetcher_of(ClockIsSet({}), slots=slots, delay_seconds=0.01) as fetcher:
            await fetcher.fetch(FetchRequest(url="http://a.example/1", kind=FetchKind.PAGE))

    asyncio.run(once())
    assert 0 < slots.states["a.example"].response_seconds < 60


class Hanging(ScriptedSite):
    """Never ends an attempt at these URLs; unless it `obeys`, it does not even go when it is told to once."""

    def __init__(self, answers, *, hangs, obeys):
        super().__init__(answers)
        self.hangs = hangs
        self.obeys = obeys

    async def attempt(self, url, headers, *, max_bytes=None):
        if url not in self.hangs:
            return await super().attempt(url, headers, max_bytes=max_bytes)
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                # An obstinate library has a loop to itself, which must be able to end.
                if self.obeys or asyncio.current_task().cancelling() > 1:
                    raise


@pytest.mark.parametrize("obeys", [True, False], ids=["a download that can be cancelled", "one that cannot"])
@pytest.mark.parametrize("hangs", ["http://a.example/1", "http://a.example/robots.txt"])
def test_an_attempt_that_never_ends_is_given_up_and_everything_that_it_held_is_free(hangs, obeys):
    site = Hanging({"http://b.example/1": (200, {}, b"x")}, hangs={hangs}, obeys=obeys)
    slots = SlotsInMemory()

    async def all_at_once():
        async with fetcher_of(site, slots=slots, at_once=1, patient_at_once=1, attempt_seconds=0.2) as fetcher:
            urls = ["http://a.example/1", "http://a.example/2", "http://a.example/1", "http://b.example/1"]
            with structlog.testing.capture_logs() as logs:
                fetched = await asyncio.gather(
                    *(fetcher.fetch(FetchRequest(url=url, kind=FetchKind.PAGE)) for url in urls)
                )
            stuck = fetcher._politeness.stuck()
        return [one.last for one in fetched], logs, stuck

    (first, second, third, other), logs, stuck = asyncio.run(all_at_once())
    assert other.attempt.exchange.status == 200
    assert (first.outcome, first.reason) == (third.outcome, third.reason) == (Outcome.TIMEOUT, "deadline")
    assert second.outcome is (Outcome.MISSING if hangs.endswith("/1") else Outcome.TIMEOUT)
    given_up = [entry for entry in logs if entry["event"] == "deadline_passed"]
    assert [entry["url"] for entry in given_up] == [hangs] * (2 if hangs.endswith("/1") else 1)
    assert [one.host for one in stuck] == ["a.example"]
    assert slots.states["a.example"].reserved_by is None


@pytest.mark.parametrize("held_up", ["robots", "turn"])
def test_a_chain_ends_whatever_it_waits_for(held_up):
    class NeverAnswers(RobotsInMemory):
        async def stored(self, origin):
            await asyncio.Event().wait()

    site, robots = ScriptedSite({}), NeverAnswers() if held_up == "robots" else RobotsInMemory()

    async def both():
        async with fetcher_of(site, robots=robots, at_once=1, chain_seconds=0.3) as fetcher:
            requests = [FetchRequest(url=f"http://a.example/{n}", kind=FetchKind.PAGE) for n in range(3)]
            if held_up == "robots":
                fetched = await asyncio.gather(*(fetcher.fetch(request) for request in requests))
            else:
                async with fetcher._politeness.slot("a.example"):
                    fetched = await asyncio.gather(*(fetcher.fetch(request) for request in requests))
                async with fetcher._politeness.slot("a.example") as turn:
                    assert turn.hold is None
        return [(one.last.outcome, one.last.reason) for one in fetched]

    assert asyncio.run(both()) == [(Outcome.TIMEOUT, "deadline")] * 3
    assert site.asked == []


def test_what_is_no_longer_owed_when_its_turn_has_come_is_not_asked_for():
    site, slots = ScriptedSite({}), SlotsInMemory()

    async def once():
        async with fetcher_of(site, slots=slots) as fetcher:
            request = FetchRequest(url="http://a.example/1", kind=FetchKind.PAGE)

            async def fetched_meanwhile():
                return False

            with pytest.raises(NoLongerOwed):
                await fetcher.fetch(request, still_owed=fetched_meanwhile)

    asyncio.run(once())
    assert [url for url, _ in site.asked] == ["http://a.example/robots.txt"]
    assert slots.states["a.example"].requests_today == 1


def test_large_bodies_wait_on_disk_until_those_before_them_were_read(monkeypatch):
    monkeypatch.setattr(fetching, "RoomForLarge", partial(body_memory.RoomForLarge, 3_000_000))
    bodies = {f"http://host-{number}.example/": bytes([number]) * 1_000_000 for number in range(12)}

    async def run():
        taken = []
        async with fetcher_of(ScriptedSite({url: (200, {}, body) for url, body in bodies.items()})) as fetcher:
            asked = [asyncio.create_task(fetcher.fetch(FetchRequest(url=url, kind=FetchKind.PAGE))) for url in bodies]
            while asked:
                await asyncio.wait(asked, timeout=0.2)
                done = [task for task in asked if task.done()]
                assert 0 < len(done) <= 3
                for task in done:
                    exchange = (await task).last.attempt.exchange
                    taken.append((exchange.url, exchange.body))
                    asked.remove(task)
                del task, done, exchange
        return taken

    assert sorted(asyncio.run(run())) == sorted(bodies.items())


def test_a_part_of_an_article_never_waits_for_the_room_that_those_before_it_have(monkeypatch):
    monkeypatch.setattr(fetching, "RoomForLarge", partial(body_memory.RoomForLarge, 1_000_000))

    async def run():
        async with fetcher_of(ScriptedSite({f"http://a.example/{n}": (200, {}, b"x" * 900_000) for n in (1, 2)})) as it:
            first = await it.fetch(FetchRequest(url="http://a.example/1", kind=FetchKind.PAGE))
            part = FetchRequest(url="http://a.example/2", kind=FetchKind.PAGE, part=True)
            return first, await asyncio.wait_for(it.fetch(part), 30)

    assert [fetched.last.outcome for fetched in asyncio.run(run())] == [None, None]
