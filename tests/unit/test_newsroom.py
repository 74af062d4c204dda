"""The newsroom is what other tests stand on: its pages can be read, and its misbehaviour is what was asked for."""

import gzip
import http.client
import re
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import urlsplit

import feedparser
import pytest
from trafilatura import bare_extraction

from tests.newsroom import Newsroom
from tests.newsroom_stories import STORIES

BODY = (
    "The harbour office has ordered the old crane to be taken down before the autumn gales, the town clerk said after "
    "a meeting that was to have been about the price of mooring and ran until the caretaker put out the lamps.",
    "It has stood at the end of the third pier for 61 years and last lifted anything heavier than a gull in May.",
    "A society of its friends, founded on the same evening, wants to keep the cabin as a lookout for children.",
)


class Response:
    """What came back over a connection of our own, whose headers are as they were sent."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.body = answer.read()
        self.text = self.body.decode("utf-8", "replace")


def fetch(url, *, method="GET", **headers):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, headers={name.replace("_", "-"): text for name, text in headers.items()})
        return Response(connection.getresponse())
    finally:
        connection.close()


def read(url):
    return bare_extraction(fetch(url).text, url=url, with_metadata=True, include_comments=False)


def titles(feed_url):
    feed = feedparser.parse(fetch(feed_url).body)
    assert not feed.bozo
    return [entry.title for entry in feed.entries]


@pytest.fixture
def newsroom():
    with Newsroom() as running:
        yield running


@pytest.fixture
def crane(newsroom):
    return newsroom.publish("crane", headline="Crane to come down", body=BODY)


# Its stories


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.slug)
def test_a_story_is_read_whole_and_nothing_else_is(newsroom, story):
    for published in STORIES:
        newsroom.publish_story(published)
    reading = read(newsroom.url(f"/{story.section.lower()}/{story.slug}"))
    assert tuple(reading.text.split("\n")) == story.body
    assert reading.title == story.headline
    assert reading.author == "; ".join(story.authors)
    assert reading.description == story.standfirst
    assert reading.sitename == "The Harbour Courier"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.slug)
def test_a_correction_changes_a_few_words_and_a_number(story):
    before, after = story.body[1].split(), story.correction.split()
    assert re.findall(r"\d+", story.body[1]) != re.findall(r"\d+", story.correction)
    assert len(set(before) & set(after)) > 0.7 * len(set(before))
    assert story.new_headline != story.headline
    assert 5 <= len(story.body) <= 8


def test_stories_have_slugs_of_their_own():
    assert len({story.slug for story in STORIES}) == len(STORIES) == 8


# What an editor does


def test_a_correction_shows_on_the_page_and_in_the_feeds(newsroom, crane):
    newsroom.correct(
        crane, headline="Crane may stay", body=[BODY[0], BODY[2]], authors=["Jo Park"], standfirst="A turn."
    )
    reading = read(crane)
    assert (reading.title, reading.author, reading.description) == ("Crane may stay", "Jo Park", "A turn.")
    assert reading.text.split("\n") == [BODY[0], BODY[2]]
    assert titles(newsroom.url("/feed.rss")) == titles(newsroom.url("/feed.atom")) == ["Crane may stay"]


def test_a_correction_leaves_what_it_does_not_name(newsroom, crane):
    before = newsroom.story(crane)
    newsroom.correct(crane, headline="Crane may stay")
    after = newsroom.story(crane)
    assert (after.body, after.authors, after.published_at) == (before.body, before.authors, before.published_at)
    assert after.modified_at > before.modified_at


def test_a_silent_correction_leaves_its_date(newsroom, crane):
    before = fetch(crane)
    newsroom.correct(crane, headline="Crane may stay", silently=True)
    after = fetch(crane)
    assert after.headers["Last-Modified"] == before.headers["Last-Modified"]
    assert after.headers["ETag"] != before.headers["ETag"]
    assert "Crane may stay" in after.text


def test_cutting_drops_the_last_paragraphs(newsroom, crane):
    newsroom.cut(crane, paragraphs=2)
    assert newsroom.story(crane).body == BODY[:1]
    assert BODY[1] not in fetch(crane).text
    with pytest.raises(ValueError, match="cannot cut"):
        newsroom.cut(crane, paragraphs=1)


def test_what_is_withdrawn_is_not_found_until_it_is_restored(newsroom, crane):
    newsroom.withdraw(crane)
    assert fetch(crane).status == 404
    assert titles(newsroom.url("/feed.rss")) == []
    newsroom.restore(crane)
    assert fetch(crane).status == 200
    assert titles(newsroom.url("/feed.rss")) == ["Crane to come down"]


def test_marks_of_markup_in_a_story_are_text(newsroom):
    headline = 'Bread & "butter" <b>rise</b> </script> again'
    url = newsroom.publish("bread", headline=headline, body=[f"{text} <i>& so on</i>" for text in BODY])
    reading = read(url)
    assert reading.title == headline
    assert reading.text.split("\n")[0] == f"{BODY[0]} <i>& so on</i>"
    # feedparser takes titles for HTML and drops elements that it does not know.
    assert "Bread &amp; &quot;butter&quot; &lt;b&gt;rise&lt;/b&gt;" in fetch(newsroom.url("/feed.rss")).text


def test_a_story_is_published_once_and_edits_need_a_story(newsroom, crane):
    with pytest.raises(ValueError, match="published already"):
        newsroom.publish("crane", headline="Crane", body=BODY)
    with pytest.raises(KeyError):
        newsroom.retitle(newsroom.url("/news/never"), "Nothing")
    with pytest.raises(ValueError, match="no time zone"):
        newsroom.publish("naive", headline="When?", body=BODY, published_at=datetime(2024, 5, 1, 12))  # noqa: DTZ001 - refused


def test_dates_are_shown_in_the_zone_they_were_given(newsroom):
    moment = datetime(2024, 5, 1, 12, 30, tzinfo=timezone(timedelta(hours=2)))
    url = newsroom.publish("may", headline="May has come to the harbour", body=BODY, published_at=moment)
    assert '"datePublished": "2024-05-01T12:30:00+02:00"' in fetch(url).text
    assert feedparser.parse(fetch(newsroom.url("/feed.rss")).body).entries[0].published_parsed[:5] == (
        2024,
        5,
        1,
        10,
        30,
    )


def test_without_a_date_a_story_is_an_hour_old_by_the_newsrooms_clock():
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    with Newsroom(now=lambda: noon) as newsroom:
        url = newsroom.publish("crane", headline="Crane to come down", body=BODY)
        assert newsroom.story(url).published_at == noon - timedelta(hours=1)
        newsroom.retitle(url, "Crane may stay")
        newsroom.retitle(url, "Crane stays")
        assert newsroom.story(url).modified_at == noon + timedelta(seconds=1)


# Its site


def test_teasers_and_counters_change_at_every_view_and_the_story_does_not(newsroom, crane):
    first, second = fetch(crane).text, fetch(crane).text
    assert re.search(r"<aside.*?</aside>", first, re.S)[0] != re.search(r"<aside.*?</aside>", second, re.S)[0]
    assert re.search(r"\d+ people are", first)[0] != re.search(r"\d+ people are", second)[0]
    assert re.search(r"<article.*?</article>", first, re.S)[0] == re.search(r"<article.*?</article>", second, re.S)[0]


def test_feeds_name_the_newest_stories_first(newsroom):
    for story in STORIES:
        newsroom.publish_story(story)
    newest_first = [story.headline for story in sorted(STORIES, key=lambda story: story.hours_ago)]
    assert titles(newsroom.url("/feed.rss")) == titles(newsroom.url("/feed.atom")) == newest_first
    newsroom.feed_length = 3
    assert titles(newsroom.url("/feed.rss")) == newest_first[:3]


def test_the_lists_link_to_the_stories(newsroom, crane):
    assert f'href="{urlsplit(crane).path}"' in fetch(newsroom.url("/")).text
    assert f'href="{urlsplit(crane).path}"' in fetch(newsroom.url("/news/")).text
    assert fetch(newsroom.url("/sport/")).status == 404


def test_robots_txt_can_be_set(newsroom):
    newsroom.robots = "User-agent: *\nDisallow: /\n"
    assert fetch(newsroom.url("/robots.txt")).text == "User-agent: *\nDisallow: /\n"
    newsroom.robots = None
    assert fetch(newsroom.url("/robots.txt")).status == 404


# Conditional requests and codings


@pytest.mark.parametrize("path", ["/news/crane", "/feed.rss", "/feed.atom", "/"])
@pytest.mark.parametrize(("given", "asked"), [("ETag", "If_None_Match"), ("Last-Modified", "If_Modified_Since")])
def test_who_has_the_current_state_gets_304_until_it_changes(newsroom, crane, path, given, asked):
    validator = fetch(newsroom.url(path)).headers[given]
    again = fetch(newsroom.url(path), **{asked: validator})
    assert (again.status, again.body, again.headers[given]) == (304, b"", validator)
    newsroom.retitle(crane, "Crane may stay")
    once = fetch(newsroom.url(path), **{asked: validator})
    newsroom.retitle(crane, "Crane stays")
    twice = fetch(newsroom.url(path), **{asked: once.headers[given]})
    assert (once.status, twice.status) == (200, 200)


@pytest.mark.parametrize("path", ["/feed.rss", "/feed.atom"])
def test_a_feed_has_changed_when_an_old_story_comes_or_one_goes(newsroom, crane, path):
    def unchanged_since(response):
        return fetch(newsroom.url(path), If_Modified_Since=response.headers["Last-Modified"]).status == 304

    before = fetch(newsroom.url(path))
    newsroom.publish("old", headline="Of old", body=BODY, published_at=datetime(2001, 1, 1, tzinfo=UTC))
    assert not unchanged_since(before)
    then = fetch(newsroom.url(path))
    newsroom.withdraw(crane)
    assert not unchanged_since(then)


def test_the_etag_goes_before_the_date(newsroom, crane):
    date = fetch(crane).headers["Last-Modified"]
    assert fetch(crane, If_None_Match='"other"', If_Modified_Since=date).status == 200


def test_without_validators_every_answer_is_whole(newsroom, crane):
    etag = fetch(crane).headers["ETag"]
    newsroom.validators = False
    answer = fetch(crane, If_None_Match=etag)
    assert (answer.status, answer.headers["ETag"], answer.headers["Last-Modified"]) == (200, None, None)


def test_pages_are_compressed_for_those_who_accept_it(newsroom, crane):
    coded = fetch(crane, Accept_Encoding="gzip, deflate")
    assert coded.headers["Content-Encoding"] == "gzip"
    assert int(coded.headers["Content-Length"]) == len(coded.body)
    assert BODY[0] in gzip.decompress(coded.body).decode()
    assert fetch(crane).headers["Content-Encoding"] is None
    newsroom.compresses = False
    assert fetch(crane, Accept_Encoding="gzip").headers["Content-Encoding"] is None


# Odd behaviour


def test_an_answer_is_sent_as_scripted(newsroom):
    newsroom.respond(
        "/odd", status=299, headers=[("X-Twice", "1"), ("X-Twice", "2"), ("Content-Type", "a/b")], body="odd"
    )
    answer = fetch(newsroom.url("/odd"))
    assert (answer.status, answer.headers.get_all("X-Twice"), answer.body) == (299, ["1", "2"], b"odd")
    assert answer.headers.get_all("Content-Type") == ["a/b"]
    assert answer.headers["Content-Length"] == "3"


def test_answers_for_a_number_of_times_come_in_turn(newsroom, crane):
    path = urlsplit(crane).path
    newsroom.respond(path, status=503, times=2)
    newsroom.respond(path, status=410, times=1)
    assert [fetch(crane).status for _ in range(4)] == [503, 503, 410, 200]
    newsroom.respond(path, status=500)
    newsroom.respond(path, status=403)
    assert [fetch(crane).status for _ in range(2)] == [403, 403]
    newsroom.forget(path)
    assert fetch(crane).status == 200


def test_a_script_for_a_query_goes_before_the_one_for_its_path(newsroom):
    newsroom.respond("/page", body="any")
    newsroom.respond("/page?id=2", body="two")
    assert fetch(newsroom.url("/page?id=1")).body == b"any"
    assert fetch(newsroom.url("/page?id=2")).body == b"two"


def test_a_redirect_leads_elsewhere(newsroom, crane):
    newsroom.redirect("/short", crane, status=302)
    with urllib.request.urlopen(newsroom.url("/short")) as answer:
        assert answer.url == crane
        assert BODY[0] in answer.read().decode()


def test_a_truncated_body_is_shorter_than_it_says(newsroom):
    newsroom.respond("/short", body=b"x" * 1000, truncate=400)
    with pytest.raises(http.client.IncompleteRead) as caught:
        fetch(newsroom.url("/short"))
    assert len(caught.value.partial) == 400


def test_a_closed_answer_has_no_length_and_is_whole(newsroom):
    newsroom.respond("/old", body=b"x" * 1000, close=True)
    answer = fetch(newsroom.url("/old"))
    assert (answer.headers["Content-Length"], len(answer.body)) == (None, 1000)


def test_a_reset_comes_before_the_status_line_or_within_the_body(newsroom):
    newsroom.respond("/reset", reset=True)
    with pytest.raises(ConnectionResetError):
        fetch(newsroom.url("/reset"))
    newsroom.respond("/reset", body=b"x" * 1000, truncate=400, reset=True)
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        fetch(newsroom.url("/reset"))
    assert [request.status for request in newsroom.requests] == [200, 200]


def test_slow_answers_take_their_time(newsroom):
    newsroom.respond("/delayed", body="late", delay=0.2)
    newsroom.respond("/dripping", body=b"x" * 3000, drip=0.1)
    began = time.perf_counter()
    assert fetch(newsroom.url("/delayed")).body == b"late"
    assert time.perf_counter() - began >= 0.2
    began = time.perf_counter()
    assert len(fetch(newsroom.url("/dripping")).body) == 3000
    assert time.perf_counter() - began >= 0.2


def test_head_sends_the_headers_alone(newsroom, crane):
    answer = fetch(crane, method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 1000


# The log and the connections


def test_the_log_tells_who_asked_for_what_and_when(newsroom, crane):
    before = time.perf_counter()
    fetch(crane + "?page=1", User_Agent="tests/1")
    newsroom.respond("/late", delay=0.1)
    fetch(newsroom.url("/late"))
    after = time.perf_counter()
    first, second = newsroom.requests
    assert (first.method, first.path, first.target) == ("GET", "/news/crane", "/news/crane?page=1")
    assert (first.status, first.headers["user-agent"]) == (200, "tests/1")
    assert before <= first.started <= first.ended <= second.started <= second.ended - 0.1 <= after
    assert newsroom.requests_for(crane) == (first,)
    newsroom.clear_log()
    assert newsroom.requests == ()


def test_a_connection_serves_many_requests(newsroom, crane):
    connection = http.client.HTTPConnection(*urlsplit(newsroom.origin).netloc.split(":"))
    for path in ("/news/crane", "/nowhere", "/feed.rss", "/news/crane"):
        connection.request("GET", path)
        connection.getresponse().read()
    connection.close()
    assert len({request.client for request in newsroom.requests}) == 1


def test_many_clients_are_served_at_once_and_each_is_logged(newsroom, crane):
    newsroom.respond("/together", delay=0.3)

    def ask():
        fetch(newsroom.url("/together"))
        for _ in range(20):
            assert fetch(crane).status == 200

    def edit():
        for number in range(20):
            newsroom.retitle(crane, f"Crane, {number}")

    threads = [threading.Thread(target=ask) for _ in range(8)] + [threading.Thread(target=edit)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(newsroom.requests_for(crane)) == 8 * 20
    together = newsroom.requests_for("/together")
    assert len(together) == 8
    assert max(request.started for request in together) < min(request.ended for request in together)


def test_newsrooms_on_several_addresses_know_nothing_of_each_other():
    with Newsroom("127.0.0.2") as one, Newsroom("127.0.0.3") as other:
        here = one.publish("crane", headline="Crane to come down", body=BODY)
        there = other.publish("crane", headline="Crane may stay", body=BODY)
        assert (urlsplit(here).hostname, urlsplit(there).hostname) == ("127.0.0.2", "127.0.0.3")
        assert read(here).title == "Crane to come down"
        assert read(there).title == "Crane may stay"
        assert (len(one.requests), len(other.requests)) == (1, 1)


def test_closing_ends_idle_and_waiting_connections():
    newsroom = Newsroom()
    newsroom.start()
    newsroom.respond("/never", delay=3600)
    ends = []

    def wait_for_it():
        try:
            fetch(newsroom.url("/never"))
        except (OSError, http.client.HTTPException) as end:
            ends.append(end)

    client = threading.Thread(target=wait_for_it)
    client.start()
    idle = http.client.HTTPConnection(*urlsplit(newsroom.origin).netloc.split(":"))
    idle.request("GET", "/")
    idle.getresponse().read()
    time.sleep(0.2)  # so that it has begun to wait
    newsroom.close()
    client.join()
    idle.close()
    assert len(ends) == 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("newsroom")]


def test_an_outage_keeps_address_and_stories(newsroom, crane):
    newsroom.close()
    with pytest.raises(ConnectionRefusedError):
        fetch(crane)
    newsroom.start()
    assert fetch(crane).status == 200


def test_a_fault_of_the_newsrooms_own_is_not_kept_quiet():
    newsroom = Newsroom()
    newsroom.start()
    newsroom.robots = 5
    with pytest.raises((OSError, http.client.HTTPException)):
        fetch(newsroom.url("/robots.txt"))
    with pytest.raises(AttributeError):
        newsroom.close()


def test_a_client_that_hangs_up_is_no_fault(newsroom):
    newsroom.respond("/large", body=b"x" * 20_000_000)
    connection = http.client.HTTPConnection(*urlsplit(newsroom.origin).netloc.split(":"))
    connection.request("GET", "/large")
    connection.sock.recv(10)
    connection.close()
    another = http.client.HTTPConnection(*urlsplit(newsroom.origin).netloc.split(":"))
    another.request("GET", "/feed.rss")
    assert another.getresponse().status == 200
    another.close()
    newsroom.close()  # raises what a connection broke on


def test_before_it_is_started_a_newsroom_has_no_address():
    with pytest.raises(RuntimeError, match="before it is started"):
        Newsroom().publish("crane", headline="Crane to come down", body=BODY)
