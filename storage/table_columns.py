"""What the tables are made of: the names of their constraints, and the columns that several have alike."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, MetaData

from storage.article_fields import ARTICLE_FIELDS, EXTRACTOR, ArticleField, Shape
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


_TIME_TYPES: tuple[Any, ...] = (UtcDateTime, StorableText, Boolean, StorableText, StorableText)
"""Of `storage.article_fields.TIME_PARTS`."""


def content_columns() -> list[Column[Any]]:
    """Return the columns of `ExtractedArticle`, which articles and versions have alike."""
    columns = [column for field in ARTICLE_FIELDS for column in _columns(field)]
    return [*columns, Column(EXTRACTOR, StorableText, nullable=False)]


def _columns(field: ArticleField) -> Iterator[Column[Any]]:
    if field.shape is Shape.TIME:
        for name, kind in zip(field.columns, _TIME_TYPES, strict=True):
            yield Column(name, kind)
    else:
        kind = JsonValue if field.shape is Shape.LIST else StorableText
        yield Column(field.name, kind, nullable=not field.required)
