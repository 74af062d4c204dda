"""How sources stand is counted rightly, and by indexes alone."""

from sqlalchemy import event

from tests.contracts.news import CORRECTED, FERRY, minute, put_off, watch


def test_sources_are_counted_together_as_each_by_itself(store):
    first, second = watch(store, "a", source="one"), watch(store, "b", source="one")
    other = watch(store, "c", source="two")
    for page in (first, second, other):
        page.see(FERRY, at=1)
    first.see(CORRECTED, at=2)
    with store.writing() as transaction:
        put_off(transaction, {first.page.page_id: minute(10), other.page.page_id: minute(90)})
    with store.reading() as transaction:
        every = transaction.overview.standings(now=minute(60))
        for source_id, standing in every.items():
            assert transaction.overview.standings(now=minute(60), source_id=source_id) == {source_id: standing}
        one, two = (every[page.page.source_id] for page in (first, other))
    assert (one.pages, one.articles, one.versions, one.due, one.next_due_at) == (2, 2, 3, 1, minute(10))
    assert (two.pages, two.articles, two.versions, two.due, two.next_due_at) == (1, 1, 1, 0, minute(90))


def test_no_row_of_an_article_is_read_to_count_them(store):
    watch(store, "a").see(FERRY, at=1)
    asked = []
    with store.reading() as transaction:
        connection = transaction._connection
        if connection.dialect.name != "sqlite":
            return

        def note(*said):
            asked.append((said[2], said[3]))

        event.listen(connection, "before_cursor_execute", note)
        transaction.overview.standings(now=minute(60))
        event.remove(connection, "before_cursor_execute", note)
        driver = connection.connection
        plans = [row[3] for query, values in asked for row in driver.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    assert any("articles USING COVERING INDEX ix_articles_totals" in plan for plan in plans), plans
    assert any("ix_pages_alias_of" in plan for plan in plans), plans
