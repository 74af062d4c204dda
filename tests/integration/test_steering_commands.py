"""The words by which an operator steers: what they answer, and with which exit code they refuse."""

import json
from pathlib import Path

import pytest

from storage.clock import utc_now
from storage.model import Source
from storage.records import FeedEntry
from storage.store import Store
from tests.integration.commands import check_one_line, run

PAGE = "https://paper.example/ferry"


@pytest.fixture
def folder(folder: Path) -> Path:
    """A folder with a configured source, and a page of it."""
    (folder / "morgue.toml").write_text('[[source]]\nslug = "paper"\nfeeds = ["https://paper.example/feed.rss"]\n')
    with Store.open(f"sqlite:///{folder}/morgue.db") as store, store.writing() as transaction:
        transaction.sources.sync([Source(slug="paper", feeds=("https://paper.example/feed.rss",))], utc_now())
        paper = transaction.sources.by_slug("paper")
        assert paper is not None
        entry = FeedEntry(url=PAGE, url_key="paper.example/ferry", host="paper.example")
        transaction.pages.ensure(paper.source_id, entry, utc_now(), due=True)
    return folder


def paused(folder: Path) -> list[bool]:
    """Whether the source, its feed and its page are paused."""
    with Store.open(f"sqlite:///{folder}/morgue.db") as store, store.reading() as transaction:
        feed = transaction.operating.find_feed(["https://paper.example/feed.rss"])
        page = transaction.operating.find_page("paper.example/ferry")
        assert feed is not None and feed.feed is not None and page is not None and page.page is not None
        return [feed.source.paused, feed.feed.paused, page.page.paused]


def test_all_that_is_named_is_found_in_any_spelling_or_nothing_is_done(folder):
    check_one_line(run(folder, "pause", PAGE, "papper"), 1, "papper", "did you mean paper?")
    check_one_line(run(folder, "pause", "paper", "https://paper.example/other"), 1, "other", "morgue watch URL")
    check_one_line(run(folder, "pause", "paper", "ftp://paper.example/"), 2, "ftp://paper.example/")
    assert paused(folder) == [False, False, False]
    said = json.loads(
        run(
            folder, "pause", "paper", "http://www.paper.example/feed.rss", f"{PAGE}?utm_source=mail#top", "--json"
        ).stdout
    )
    assert [(row["kind"], row["result"]) for row in said["targets"]] == [
        ("source", "paused"),
        ("feed", "paused"),
        ("page", "paused"),
    ]
    assert said["service"]["running"] is False
    assert paused(folder) == [True, True, True]
    check_one_line(run(folder, "fetch", PAGE), 1, "paper: is paused", "morgue resume paper")
    again = run(folder, "pause", "paper")
    assert (again.returncode, again.stdout) == (0, b"paper is paused already.\n")


def test_what_the_configuration_names_cannot_be_unwatched_and_what_nobody_watches_cannot_be_asked_for(folder):
    check_one_line(run(folder, "unwatch", "paper"), 2, "configuration", "morgue pause paper")
    check_one_line(run(folder, "unwatch", "https://paper.example/feed.rss"), 2, "configuration", "morgue pause")
    assert b"never" not in run(folder, "watch", "https://gazette.example/a").stdout
    assert run(folder, "unwatch", "gazette.example").returncode == 0
    check_one_line(run(folder, "fetch", "https://gazette.example/a"), 1, "morgue watch gazette.example")


def test_a_source_that_is_gone_from_the_file_is_not_resumed_by_hand(folder):
    assert run(folder, "pause", "paper").returncode == 0
    (folder / "morgue.toml").write_text("")
    assert b"stays paused" in run(folder, "resume", "paper").stdout
    assert paused(folder)[0]
    (folder / "morgue.toml").write_text('[[source]]\nslug = "paper"\nfeeds = ["https://paper.example/feed.rss"]\n')
    assert b"is in order: 1 source.\nNo service runs" in run(folder, "sources", "reload").stdout
    assert not paused(folder)[0]


def test_pages_that_go_over_to_another_source_are_told(folder):
    (folder / "morgue.toml").write_text('[[source]]\nslug = "gazette"\nfeeds = ["https://paper.example/feed.rss"]\n')
    assert b"1 page of paper went over to gazette.\nNo service runs" in run(folder, "sources", "reload").stdout
    (folder / "morgue.toml").write_text('[[source]]\nslug = "paper"\nfeeds = ["https://paper.example/feed.rss"]\n')
    said = json.loads(run(folder, "sources", "reload", "--json").stdout)
    assert said["pages_went_over"] == [{"source": "gazette", "to": "paper", "pages": 1}]
    assert json.loads(run(folder, "sources", "reload", "--json").stdout)["pages_went_over"] == []


def test_without_a_file_there_is_nothing_to_reload(folder):
    (folder / "morgue.toml").unlink()
    check_one_line(run(folder, "sources", "reload"), 2, "morgue.toml", "--config")
