"""What a database of the third revision holds is there after the fourth, and rules that are no more are the plan."""

from datetime import UTC, datetime

from alembic import command
from sqlalchemy import Boolean, Float, Integer, Table, insert, inspect, select

from storage import migrate
from storage.engine import WRITES, create_engine
from storage.outcomes import Outcome
from storage.store import Store
from storage.tables import metadata

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCES, PAGES = metadata.tables["sources"], metadata.tables["pages"]


def _filled(table: Table, names: set[str], **values: object) -> dict[str, object]:
    """Return a row with something in each of these columns that must not be empty."""
    wanted = [column for column in table.columns if column.name in names and not column.nullable]
    something = {Boolean: False, Integer: 0, Float: 0.0}
    made = {
        column.name: something.get(type(column.type), NOW if column.name.endswith("_at") else []) for column in wanted
    }
    return made | values


def at_third_revision(url: str) -> None:
    """Make a database with a source and pages for each rule of then."""
    engine = create_engine(url)
    try:
        with engine.execution_options(**{WRITES: True}).begin() as connection:
            command.upgrade(migrate._config(connection), "0003")
            columns = {
                name: {one["name"] for one in inspect(connection).get_columns(name)} for name in ("sources", "pages")
            }
            for number, rule in enumerate(("plan", "index", "geometric", "stormcrawler", "nutch", "fixed"), start=1):
                source = _filled(SOURCES, columns["sources"], id=number, slug=f"s-{number}", recrawl=rule, watched=True)
                connection.execute(insert(SOURCES).values(source))
                url_key = f"courier.example/{rule}"
                page = {"url": f"https://{url_key}", "url_key": url_key, "host": "courier.example"}
                page |= {"source_id": number, "next_fetch_at": NOW, "next_fetch_reason": rule, "looks": 3}
                page |= {"last_outcome": Outcome.UNCHANGED.value, "last_fetch_at": NOW}
                connection.execute(insert(PAGES).values(_filled(PAGES, columns["pages"], id=number, **page)))
    finally:
        engine.dispose()


def test_rules_that_can_no_longer_be_chosen_become_the_plan(empty_database_url):
    at_third_revision(empty_database_url)
    migrate.upgrade(empty_database_url)
    assert migrate.check(empty_database_url).healthy
    engine = create_engine(empty_database_url)
    try:
        with engine.connect() as connection:
            of_pages = connection.scalars(select(PAGES.c.next_fetch_reason).order_by(PAGES.c.id)).all()
            looks = connection.scalars(select(PAGES.c.looks)).all()
    finally:
        engine.dispose()
    now = ["plan", "plan", "geometric", "plan", "plan", "fixed"]
    assert of_pages == now
    assert set(looks) == {3}
    with Store.open(empty_database_url) as store, store.reading() as transaction:
        assert sorted(one.source.recrawl or "" for one in transaction.sources.all()) == sorted(now)
