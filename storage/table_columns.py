"""What the tables are made of: the names of their constraints, and the columns that several have alike."""

from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, MetaData

from storage.column_types import Id, JsonValue, StorableText, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def id_column() -> Column[Any]:
    """Return the column of a public id."""
    return Column("id", Id, primary_key=True)


def reference(name: str, target: str, *, nullable: bool = False) -> Column[Any]:
    """Return a column that holds the id of a row of another table."""
    return Column(name, Id, ForeignKey(f"{target}.id"), nullable=nullable)


def _stated_time(name: str) -> list[Column[Any]]:
    return [
        Column(f"{name}_at", UtcDateTime),
        Column(f"{name}_local", StorableText),
        Column(f"{name}_zone_known", Boolean),
        Column(f"{name}_raw", StorableText),
        Column(f"{name}_found_in", StorableText),
    ]


def content_columns() -> list[Column[Any]]:
    """Return the columns of `ExtractedArticle`, which articles and versions have alike."""
    return [
        Column("headline", StorableText, nullable=False),
        Column("standfirst", StorableText),
        Column("byline", StorableText),
        Column("authors", JsonValue, nullable=False),
        Column("dateline", StorableText),
        Column("section", StorableText),
        Column("tags", JsonValue, nullable=False),
        Column("body", StorableText, nullable=False),
        Column("language", StorableText),
        Column("canonical_url", StorableText),
        *_stated_time("published"),
        *_stated_time("modified"),
        Column("image_url", StorableText),
        Column("image_caption", StorableText),
        Column("site_name", StorableText),
        Column("access", StorableText, nullable=False),
        Column("extractor", StorableText, nullable=False),
    ]
