"""How values are kept in columns: instants, text and JSON, alike on SQLite and PostgreSQL."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

Id = BigInteger().with_variant(Integer(), "sqlite")
"""The type of every key: SQLite numbers rows by itself only when the type is exactly INTEGER."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable_text(text: str) -> str:
    """Return `text` without NUL, which PostgreSQL refuses, and without lone surrogates, which have no UTF-8 form."""
    return _UNSTORABLE.sub("", text)


def storable_json(value: Any) -> Any:
    """Return a JSON value with every string in it made storable."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {storable_text(key): storable_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable_json(item) for item in value]
    return value


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: timestamptz on PostgreSQL; on SQLite text `YYYY-MM-DD HH:MM:SS.ffffff+00:00`, which sorts by time.

    Raises ValueError for a datetime without a zone.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return text for SQLite, whose own DateTime drops the offset silently."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(32))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return what the driver is given."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"an instant needs a zone, and {value!r} has none")
        value = value.astimezone(UTC)
        return value.isoformat(sep=" ", timespec="microseconds") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        """Return an aware instant in UTC."""
        if value is None:
            return None
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        return instant.astimezone(UTC)


class StorableText(TypeDecorator[str]):
    """Text from which NUL and lone surrogates are removed on its way into the database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """Return what the driver is given."""
        return None if value is None else storable_text(value)


class JsonValue(TypeDecorator[Any]):
    """A JSON value: jsonb on PostgreSQL; on SQLite text in UTF-8 with nothing escaped that need not be."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return jsonb where there is one."""
        return dialect.type_descriptor(JSONB(none_as_null=True) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return what the driver is given; None is SQL's null."""
        if value is None:
            return None
        value = storable_json(value)
        return json.dumps(value, ensure_ascii=False) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return the value as Python's lists, dicts, strings and numbers."""
        return json.loads(value) if dialect.name == "sqlite" and value is not None else value
