"""When feeds ask to be left alone, and for how long answers hold."""

from datetime import UTC, datetime

import pytest

from crawler.discovery.feed_wishes import skipped_days, skipped_hours
from crawler.discovery.feeds import read_feed
from crawler.freshness import fresh_seconds

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SY = 'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
HOURS = "<skipHours><hour>3</hour><hour>4</hour></skipHours>"
ITEM = "<item><title>A</title><link>https://courier.example/a</link></item>"


def read(channel, *, after="", encoding="utf-8"):
    body = (
        f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0" {SY}><channel><title>x</title>{channel}{ITEM}'
    )
    listing = read_feed(
        f"{body}{after}</channel></rss>".encode(encoding), url="https://courier.example/", content_type=None
    )
    assert len(listing.entries) == 1
    return listing


@pytest.mark.parametrize(
    ("channel", "seconds"),
    [
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", 3600),
        ("<sy:updatePeriod>\n hourly\n</sy:updatePeriod><sy:updateFrequency>\n 1 </sy:updateFrequency>", 3600),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", 900),
        ("<sy:updatePeriod>Daily</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>", 43_200),
        ("<sy:updatePeriod>weekly</sy:updatePeriod>", 604_800),
        ("<sy:updatePeriod>yearly</sy:updatePeriod>", 31 * 86_400),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><ttl>20</ttl>", 3600),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><ttl>90</ttl>", 5400),
        # What means nothing is passed over, each by itself.
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", 3600),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>-3</sy:updateFrequency>", 3600),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>often</sy:updateFrequency>", 3600),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>99999</sy:updateFrequency>", None),
        ("<sy:updatePeriod>stündlich</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>", None),
        ("<sy:updatePeriod>stündlich</sy:updatePeriod><ttl>30</ttl>", 1800),
        ("<sy:updateFrequency>2</sy:updateFrequency>", None),
        ("<ttl>1.5</ttl>", None),
        ("<ttl>٣</ttl>", None),
    ],
)
def test_the_longer_of_what_a_feed_asks_for_counts(channel, seconds):
    assert read(channel).ttl_seconds == seconds


@pytest.mark.parametrize(
    ("channel", "hours"),
    [
        ("", ()),
        (HOURS, (3, 4)),
        ("<skipHours>\n <hour> 23 </hour>\n <hour>0</hour></skipHours>", (0, 23)),
        ("<skipHours><hour>24</hour><hour>1</hour></skipHours>", (0, 1)),
        ("<skipHours><hour>24</hour><hour>0</hour></skipHours>", (0,)),
        ("<skipHours><hour>-1</hour><hour>25</hour><hour>3pm</hour><hour></hour><hour>7</hour></skipHours>", (7,)),
        ("<skipHours><hour>99999999999999999999999</hour><hour>07</hour></skipHours>", (7,)),
        ("<skiphours><HOUR>5</HOUR></skiphours>", (5,)),
        ("<skipHours/>", ()),
        ("<skipHours></skipHours>", ()),
        ("<hour>5</hour>", ()),
        ("<!-- <skipHours><hour>5</hour></skipHours> -->", ()),
        ("<skipHours><!-- <hour>5</hour> --><hour>6</hour></skipHours>", (6,)),
        ("<skipHours><hour><![CDATA[8]]></hour></skipHours>", (8,)),
        ("<description><![CDATA[<skipHours><hour>5</hour></skipHours>]]></description>", ()),
        ("<description>&lt;skipHours>&lt;hour>5&lt;/hour>&lt;/skipHours></description>", ()),
        ("<skipHours><hour>5</hour>", ()),
    ],
)
def test_hours_to_skip(channel, hours):
    assert read(channel).skip_hours == hours
    assert read("", after=channel).skip_hours == hours, "the order of a channel's elements is free"


@pytest.mark.parametrize(
    ("channel", "days"),
    [
        ("", ()),
        ("<skipDays><day>Saturday</day><day>Sunday</day></skipDays>", (5, 6)),
        ("<skipDays><day> MONDAY </day><day>monday</day></skipDays>", (0,)),
        ("<skipDays><day>Samstag</day><day>7</day><day>Sat</day><day></day><day>Friday</day></skipDays>", (4,)),
        (f"{HOURS}<skipDays><day>Sunday</day></skipDays>", (6,)),
    ],
)
def test_days_to_skip(channel, days):
    assert read(channel).skip_days == days


def test_what_is_skipped_is_read_whatever_a_feed_is_encoded_in():
    listing = read(HOURS + "<skipDays><day>Sunday</day></skipDays>", encoding="utf-16")
    assert (listing.skip_hours, listing.skip_days) == ((3, 4), (6,))


def test_atom_has_no_such_wishes():
    atom = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>{HOURS}</feed>'
    listing = read_feed(atom.encode(), url="https://courier.example/", content_type=None)
    assert (listing.skip_hours, listing.skip_days, listing.ttl_seconds) == ((), (), None)


@pytest.mark.parametrize(
    "body",
    [b"<skipHours>" * 1_000_000, b"<skipHours><hour>1" * 500_000, b"<![CDATA[" * 1_000_000, b"<!--" * 2_000_000],
    ids=["lists", "hours", "cdata", "comments"],
)
def test_a_hostile_feed_says_nothing(body):
    """It would take minutes if the time grew with the square of the length."""
    assert (skipped_hours(body), skipped_days(body)) == ((), ())


# Answers


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        ([("ETag", '"1"')], None),
        ([("Cache-Control", "max-age=600")], 600),
        ([("cache-control", "public, MAX-AGE = 600 , must-revalidate")], 600),
        ([("Cache-Control", 'max-age="600"')], 600),
        ([("Cache-Control", "public"), ("Cache-Control", "max-age=600")], 600),
        ([("Cache-Control", "max-age=600, max-age=900")], 600),
        ([("Cache-Control", "max-age=600"), ("Age", "200")], 400),
        ([("Cache-Control", "max-age=600"), ("Age", "900")], 0),
        ([("Cache-Control", "max-age=600"), ("Age", "soon")], 600),
        ([("Cache-Control", "max-age=604800")], 604_800),
        # What is for shared caches, or holds for all files of a server, is not meant for a list of news.
        ([("Cache-Control", "s-maxage=600")], 0),
        ([("Cache-Control", "max-age=31536000")], 0),
        ([("Cache-Control", "max-age=604801")], 0),
        ([("Cache-Control", "max-age=99999999999999999999")], 0),
        ([("Cache-Control", "max-age=31536000"), ("Age", "31535000")], 0),
        ([("Cache-Control", "no-cache, max-age=600")], 0),
        ([("Cache-Control", "no-store"), ("Expires", "Mon, 04 May 2026 13:00:00 GMT")], 0),
        ([("Cache-Control", "max-age=-5")], 0),
        ([("Cache-Control", "max-age=ten")], 0),
        ([("Cache-Control", "max-age")], 0),
        ([("Cache-Control", "x-max-age=600")], 0),
        ([("Cache-Control", "max-age=0"), ("Expires", "Mon, 04 May 2026 13:00:00 GMT")], 0),
        # Where there is no max-age.
        ([("Expires", "Mon, 04 May 2026 13:00:00 GMT")], 3600),
        ([("Cache-Control", "public"), ("Expires", "Mon, 04 May 2026 13:00:00 GMT")], 3600),
        ([("Expires", "Mon, 04 May 2026 13:00:00 GMT"), ("Date", "Mon, 04 May 2026 12:30:00 GMT")], 1800),
        ([("Expires", "Mon, 04 May 2026 13:00:00 GMT"), ("Date", "yesterday")], 3600),
        ([("Expires", "Mon, 04 May 2026 13:00:00")], 3600),
        ([("Expires", "Mon, 04 May 2026 11:00:00 GMT")], 0),
        ([("Expires", "Thu, 04 May 2028 11:00:00 GMT")], 0),
        ([("Expires", "0")], 0),
        ([("Expires", "-1")], 0),
        ([("Expires", "Mon, 99 May 99999 13:00:00 GMT")], 0),
    ],
)
def test_for_how_long_an_answer_holds(headers, seconds):
    assert fresh_seconds(headers, received_at=NOW) == seconds
