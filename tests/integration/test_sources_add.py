"""What `morgue sources add` and `import` leave behind: a source in the configuration, and nothing half done."""

import json

import pytest

from tests.integration.commands import check_one_line, run

HOME = (
    "<html><head><title>Home | The Harbour Courier</title>"
    '<link rel="alternate" type="application/rss+xml" href="/news.rss"></head>'
    "<body><h1>The Harbour Courier</h1></body></html>"
)
BEGUN = "[crawl]\ndelay_seconds = 1.0\n"


@pytest.fixture
def home(newsroom):
    newsroom.respond("/", body=HOME)
    return newsroom.url("/")


def test_a_publisher_is_added_and_nothing_else_is_made_of_its_domain(tmp_path, home):
    (tmp_path / "morgue.toml").write_text(BEGUN)
    added = run(tmp_path, "sources", "add", home, "--slug", "courier")
    assert added.returncode == 0, added.stderr
    text = (tmp_path / "morgue.toml").read_text()
    assert text.startswith(BEGUN)
    assert 'slug = "courier"' in text
    status = json.loads(run(tmp_path, "status", "--json").stdout)
    assert status["sources"] == [], "the next command that needs it makes it, by its slug"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_slug_that_cannot_be_one_is_refused_before_anything_is_asked_for(tmp_path, home, newsroom):
    (tmp_path / "morgue.toml").write_text(BEGUN)
    for words in ((), ("--print",)):
        refused = run(tmp_path, "sources", "add", home, "--slug", "Big News", *words)
        check_one_line(refused, 2, "Big News", "lower-case letters")
    assert (tmp_path / "morgue.toml").read_text() == BEGUN
    assert not newsroom.requests


def test_what_is_only_printed_begins_no_database(tmp_path, home):
    printed = run(tmp_path, "sources", "add", home, "--print")
    assert printed.returncode == 0, printed.stderr
    assert b"news.rss" in printed.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_is_not_there_is_said_to_be_missing(tmp_path):
    check_one_line(run(tmp_path, "sources", "import", "missing.opml"), 2, "missing.opml", "No such file")
    check_one_line(run(tmp_path, "sources", "import", "."), 2, "Is a directory")
