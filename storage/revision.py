"""The revision of the schema that this version works with, and whether a database has it already.

Every command asks that. Alembic, which takes longer to be imported than most of them work, is left to those that make,
upgrade or check a database (`storage.migrate`).
"""

from sqlalchemy import Engine, inspect, text

from storage.engine import failures_explained, sqlite_file

NEWEST_REVISION = "0004"


def has_newest_revision(engine: Engine) -> bool:
    """Whether nothing has to be made or upgraded. Raises `DatabaseUnavailable` where the database does not answer."""
    file = sqlite_file(engine.url)
    if file is not None and not file.is_file():
        return False  # SQLite would make an empty one
    with failures_explained(engine.url), engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [NEWEST_REVISION]
