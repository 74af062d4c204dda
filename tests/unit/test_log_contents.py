"""No line of the log holds a password, a local variable or an article; what repeats is told in sums."""

import io
import json
import logging
import sys
from typing import Any

import psycopg
import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from scheduler.log_output import configure_logging, end_log
from scheduler.log_repeats import LONGEST_INTERVAL_SECONDS, MOST_KINDS, Repeats
from storage.engine import create_engine
from storage.errors import DatabaseUnavailable
from storage.hidden import failure_message, keep_secret, without_secrets

PASSWORD = "s3cr t/@:ret-of-ours"
URL = "postgresql://morgue:s3cr%20t%2F%40%3Aret-of-ours@127.0.0.1:1/morgue"
ARTICLE = "The lighthouse keeper lit the lamp again on Sunday evening, eleven years after it went out. " * 20


@pytest.fixture
def log(monkeypatch) -> Any:
    """A log that is written into a text, as JSON."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logging(level=logging.DEBUG)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    end_log()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


class UnforeseenError(Exception):
    pass


def connect_without_success() -> None:
    address = psycopg.conninfo.conninfo_to_dict(URL)
    assert address["password"] == PASSWORD
    psycopg.connect(**address, connect_timeout=2)


def test_a_traceback_has_no_local_variables(log):
    create_engine(URL).dispose()
    try:
        connect_without_success()
    except psycopg.OperationalError:
        structlog.get_logger().exception("job_failed", job="plan", url=URL, said=f"password={PASSWORD}")
    (event,) = lines(log)
    assert "ret-of-ours" not in json.dumps(event)
    assert event["url"] == "postgresql://morgue:***@127.0.0.1:1/morgue"
    (failure,) = event["exception"]
    assert failure["exc_type"] == "OperationalError"
    assert [frame["name"] for frame in failure["frames"]][:2] == [
        "test_a_traceback_has_no_local_variables",
        "connect_without_success",
    ]
    assert all(frame.keys() == {"filename", "lineno", "name"} for frame in failure["frames"])


def test_a_row_that_the_database_refused_is_not_told(log, database_url):
    engine = create_engine(database_url)
    statement = text("INSERT INTO articles (id, headline, body) VALUES (:id, :headline, :body)")
    try:
        with engine.connect() as connection:
            connection.execute(statement, {"id": 1, "headline": ARTICLE, "body": ARTICLE})
    except DBAPIError:
        structlog.get_logger().exception("recording_failed", url="https://a.example/")
    finally:
        engine.dispose()
    said = log.getvalue()
    assert '"event": "recording_failed"' in said
    assert "lighthouse" not in said


def test_of_what_a_failure_quotes_little_is_told():
    assert len(failure_message(ValueError(f"no number: {ARTICLE!r}"))) < 70
    assert len(failure_message(ValueError(ARTICLE))) <= 201
    assert failure_message(KeyError("x\nDETAIL: Failing row contains (secret)")).count("row") <= 1
    assert failure_message(UnforeseenError("first\nDETAIL: the row")) == "first"
    ours = DatabaseUnavailable("postgresql://a:b@c/d", "is away " * 50, "wait")
    assert failure_message(ours).startswith("postgresql://a:***@c/d: is away")
    assert failure_message(ours).endswith("wait")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("see https://reader:pass@paper.example/feed?a=b:c@d", "see https://reader:***@paper.example/feed?a=b:c@d"),
        ("proxy http://u:p@proxy:3128 refused", "proxy http://u:***@proxy:3128 refused"),
        ("https://medium.example/@writer/a:b@c", "https://medium.example/@writer/a:b@c"),
        (f"{PASSWORD}!", "***!"),
        ("s3cr+t%2F%40%3Aret-of-ours", "***"),
    ],
)
def test_secrets_are_hidden_however_they_are_spelt(said, shown):
    keep_secret(PASSWORD)
    assert without_secrets(said) == shown


def test_a_short_secret_is_hidden_where_it_stands_alone():
    keep_secret("zq")
    assert without_secrets("zq is no part of zqual") == "*** is no part of zqual"


def test_a_line_is_never_long(log):
    structlog.get_logger().warning("extract_failed", url="https://a.example/" + "a" * 100_000, more=["b" * 5_000] * 500)
    assert len(log.getvalue()) < 300_000
    (event,) = lines(log)
    assert len(event["url"]) == 2_001
    assert len(event["more"]) == 100


def test_a_recursion_is_told_by_its_ends(log):
    def fall() -> None:
        fall()

    try:
        fall()
    except RecursionError:
        structlog.get_logger().exception("job_failed", job="fall")
    assert len(lines(log)[0]["exception"][0]["frames"]) == 40


def test_what_libraries_log_holds_no_secret_either(log):
    keep_secret(PASSWORD)
    try:
        connect_without_success()
    except psycopg.OperationalError:
        logging.getLogger("library").critical("cannot connect with %s", PASSWORD, exc_info=True)
    said = log.getvalue()
    assert "cannot connect with ***" in said
    assert "OperationalError: " in said
    assert "ret-of-ours" not in said


def test_what_python_itself_says_there_holds_no_secret(monkeypatch):
    keep_secret(PASSWORD)
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logging(level=logging.INFO).write(f"OperationalError: {PASSWORD}\x1b[2J\n")
    assert stream.getvalue() == "OperationalError: ***\\x1b[2J\n"


def break_page(page: int) -> None:
    raise UnforeseenError(f"page {page}")


def fail(log, *, page: int) -> None:
    try:
        break_page(page)
    except UnforeseenError:
        log.exception("page_not_recorded", page_id=page, url=f"https://a.example/{page}")


def test_a_fault_that_repeats_is_told_whole_once_and_then_in_sums(log):
    for page in range(5_000):
        fail(structlog.get_logger(), page=page)
    assert len(log.getvalue()) < 10_000
    events = lines(log)
    assert ["exception" in event for event in events] == [True, False, False, False]
    assert (events[-1]["event"], events[-1]["level"], events[-1]["repeated"]) == ("page_not_recorded", "error", 4_997)
    assert events[-1]["repeated_since"] <= events[-1]["timestamp"]
    assert events[-1]["problem"].startswith("page 4999 (UnforeseenError at test_log_contents.py:")


def test_a_day_of_failures_each_two_seconds_is_a_few_lines():
    now = [0.0]
    repeats = Repeats(clock=lambda: now[0])
    told, problem = [], UnforeseenError("again")
    for _ in range(43_200):
        event = {"event": "job_failed", "level": "error", "timestamp": str(now[0]), "job": "plan", "exc_info": problem}
        try:
            told.append(repeats(None, "", event))
        except structlog.DropEvent:
            told += repeats.due()
        now[0] += 2
    told += repeats.rest()
    assert ["exc_info" in event for event in told].count(True) == 1
    assert sum(event.get("repeated", 1) for event in told) == 43_200
    assert len(told) < 40


def test_other_faults_and_other_news_are_told_all_the_same(log):
    say = structlog.get_logger()
    for number in range(20):
        say.warning("extract_failed", url=f"https://a.example/{number}", reason="crash")
        say.info("version_recorded", article_id=number, number=1)
        say.info("reloaded", sources=1)
    assert len(lines(log)) == 60


def test_what_differs_by_its_measures_alone_is_a_repetition(log):
    for number in range(50):
        structlog.get_logger().error("loop_was_blocked", seconds=float(number))
        structlog.get_logger().info("database_busy", job="plan", problem=f"locked for {number} s")
    events = [event["event"] for event in lines(log)]
    assert (events.count("loop_was_blocked"), events.count("database_busy")) == (4, 4)


def test_what_happens_now_and_then_is_told_as_it_comes():
    now = [0.0]
    repeats = Repeats(clock=lambda: now[0])
    for _ in range(100):
        event = {"event": "needs_restart", "level": "warning", "keys": ["a"]}
        assert repeats(None, "", dict(event)) == event
        now[0] += 61


def test_the_memory_of_repetitions_is_bounded():
    repeats = Repeats(clock=lambda: 0.0)
    for number in range(MOST_KINDS * 3):
        repeats(None, "", {"event": "extract_failed", "level": "warning", "url": f"https://a.example/{number}"})
    assert len(repeats._kinds) == MOST_KINDS
    assert LONGEST_INTERVAL_SECONDS <= 3600
