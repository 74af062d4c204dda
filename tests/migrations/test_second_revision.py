"""What a database of the first revision holds is there after the second, and reads as it did."""

from alembic import command
from sqlalchemy import inspect, text

from storage import migrate
from storage.engine import WRITES, create_engine
from storage.store import Store
from storage.tables import metadata

ROWS = """
INSERT INTO sources (id, slug, feeds, sitemaps, sections, include, exclude, configured, watched, paused, first_seen_at)
VALUES (1, 'courier', '["http://c.example/feed"]', '[]', '[]', '[]', '[]', true, true, false, :now);
INSERT INTO feeds (id, source_id, url, kind, consecutive_failures, configured, paused, first_seen_at)
VALUES (1, 1, 'http://c.example/feed', 'rss', 0, true, false, :now);
INSERT INTO fetches (record_id, chain_id, hop, kind, url, source_id, feed_id, started_at, finished_at, outcome,
    bytes_received, headers)
VALUES ('urn:uuid:1', 'a', 0, 'feed', 'http://c.example/feed', 1, 1, :now, :now, 'listed', 9, '{"etag": "x"}')
"""


def at_first_revision(url: str) -> None:
    """Make a database of the first revision with a few rows, and leave the rest to the upgrade."""
    engine = create_engine(url)
    try:
        with engine.execution_options(**{WRITES: True}).begin() as connection:
            command.upgrade(migrate._config(connection), "0001")
            for statement in ROWS.split(";\n"):
                connection.execute(text(statement), {"now": "2026-11-24 12:00:00.000000+00:00"})
    finally:
        engine.dispose()


def test_rows_of_the_first_revision_stay_and_get_the_new_columns(empty_database_url):
    at_first_revision(empty_database_url)
    migrate.upgrade(empty_database_url)
    with Store.open(empty_database_url) as store, store.reading() as transaction:
        (fetch,) = transaction.fetches.recent(10)
        assert (fetch.record_id, dict(fetch.headers), fetch.opt_outs) == ("urn:uuid:1", {"etag": "x"}, ())
        feed = transaction.feeds.by_url("http://c.example/feed")
        assert (feed.parent_id, feed.found_by, feed.ttl_seconds) == (None, None, None)


def test_the_upgraded_schema_is_that_of_the_tables(empty_database_url):
    at_first_revision(empty_database_url)
    migrate.upgrade(empty_database_url)
    assert migrate.check(empty_database_url).healthy
    engine = create_engine(empty_database_url)
    try:
        found = inspect(engine)
        for table in metadata.tables.values():
            assert {column["name"] for column in found.get_columns(table.name)} == set(table.columns.keys())
            wanted = {index.name for index in table.indexes}
            assert wanted <= {index["name"] for index in found.get_indexes(table.name)}, table.name
    finally:
        engine.dispose()


def test_a_program_of_the_first_revision_may_go_on_writing(empty_database_url):
    """Between `db upgrade` and its own restart it leaves out the new columns."""
    at_first_revision(empty_database_url)
    migrate.upgrade(empty_database_url)
    engine = create_engine(empty_database_url)
    try:
        with engine.execution_options(**{WRITES: True}).begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO fetches (record_id, chain_id, hop, kind, url, started_at, finished_at, outcome,"
                    " bytes_received, headers) VALUES ('urn:uuid:2', 'b', 0, 'page', 'http://c.example/1', :now, :now,"
                    " 'timeout', 0, '{}')"
                ),
                {"now": "2026-11-24 12:00:01.000000+00:00"},
            )
    finally:
        engine.dispose()
    with Store.open(empty_database_url) as store, store.reading() as transaction:
        assert [fetch.opt_outs for fetch in transaction.fetches.recent(10)] == [(), ()]
