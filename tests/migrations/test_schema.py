"""The migrations make exactly the schema that the code and its documentation speak of."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from storage.engine import create_engine
from storage.tables import metadata
from storage.views import VIEW_COLUMNS


def test_the_migrated_schema_is_that_of_the_tables(database_url):
    engine = create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": metadata})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_every_column_of_every_view_is_documented(database_url):
    engine = create_engine(database_url)
    schema = inspect(engine)
    views = {name: [column["name"] for column in schema.get_columns(name)] for name in schema.get_view_names()}
    engine.dispose()
    assert views == {name: list(columns) for name, columns in VIEW_COLUMNS.items()}
