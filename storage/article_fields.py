"""The fields of an article, each said once: its column, what it means, what a change of it is, how it is compared.

The columns of the tables, the data dictionary, the rules of change, `show`, `diff` and JSON follow from this table; the
values themselves are `storage.model.ExtractedArticle`. Only the standard library is imported here.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

from storage.model import Access, ChangedField, ExtractedArticle, StatedTime


class Shape(Enum):
    """What a field holds, and so how many columns it takes."""

    TEXT = auto()
    LIST = auto()
    """Several texts in the page's order."""
    ACCESS = auto()
    TIME = auto()
    """A `StatedTime`: five columns."""


@dataclass(frozen=True, kw_only=True)
class ArticleField:
    """A field of `ExtractedArticle`.

    `changes` is the change that makes a version, None for a field that only updates the article's row. `by_words` says
    that a difference is shown by words rather than by the whole value. `meanings` are the texts of its columns in the
    data dictionary, in their order.
    """

    name: str
    shape: Shape = Shape.TEXT
    required: bool = False
    changes: ChangedField | None = None
    by_words: bool = False
    meanings: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        if self.shape is Shape.TIME:
            return tuple(f"{self.name}_{part}" for part in TIME_PARTS)
        return (self.name,)


TIME_PARTS = ("at", "local", "zone_known", "raw", "found_in")


def _time(name: str, *meanings: str, changes: ChangedField | None = None) -> ArticleField:
    return ArticleField(name=name, shape=Shape.TIME, changes=changes, meanings=meanings)


def _text(
    name: str, meaning: str, *, required: bool = False, changes: ChangedField | None = None, by_words: bool = False
) -> ArticleField:
    return ArticleField(name=name, required=required, changes=changes, by_words=by_words, meanings=(meaning,))


def _list(name: str, meaning: str, *, changes: ChangedField | None = None) -> ArticleField:
    return ArticleField(name=name, shape=Shape.LIST, required=True, changes=changes, by_words=True, meanings=(meaning,))


ARTICLE_FIELDS: tuple[ArticleField, ...] = (
    _text("headline", "The article's headline.", required=True, changes=ChangedField.HEADLINE, by_words=True),
    _text(
        "standfirst",
        "The paragraph that sums it up under the headline; null where there is none.",
        changes=ChangedField.STANDFIRST,
        by_words=True,
    ),
    _text("byline", "The line that names the authors, as the page shows it.", by_words=True),
    _list(
        "authors",
        "The authors' names, in the page's order, as a JSON list; empty where none is named.",
        changes=ChangedField.AUTHORS,
    ),
    _text("dateline", "The place, and maybe the day, that opens the text."),
    _text("section", "The section that the publisher puts it in."),
    _list("tags", "The publisher's keywords, as a JSON list; empty where there are none."),
    _text(
        "body",
        "The text, its paragraphs separated by an empty line.",
        required=True,
        changes=ChangedField.BODY,
        by_words=True,
    ),
    _text("language", "ISO 639-1 code of the text's language."),
    _text("canonical_url", "The address that the page says is its canonical one."),
    _time(
        "published",
        "When it was published, an instant; null where neither page nor source gives a zone.",
        "The same as the page shows it, ISO 8601, with an offset only where the page gives one.",
        "Whether the page itself gave the zone; null without a date.",
        "The string that the date was read from.",
        "Where it stood: json_ld, microdata, meta, time_element, text or url.",
        changes=ChangedField.DATE,
    ),
    _time(
        "modified",
        "When the page says that it was modified, an instant; null as published_at is.",
        "The same as the page shows it.",
        "Whether the page itself gave the zone; null without a date.",
        "The string that the date was read from.",
        "Where it stood, as in published_found_in.",
    ),
    _text("image_url", "The address of the main picture."),
    _text("image_caption", "The main picture's caption.", by_words=True),
    _text("site_name", "The publication's name, as the page gives it."),
    ArticleField(
        name="access",
        shape=Shape.ACCESS,
        required=True,
        meanings=("Who may read the full text, as the page says: free, metered, paywalled or unknown.",),
    ),
)
"""All fields, in the order of their columns."""

EXTRACTOR = "extractor"
"""Beside them each reading has the id of the extractor that made it, which is no field of the article."""

MEANINGS = {
    column: meaning for field in ARTICLE_FIELDS for column, meaning in zip(field.columns, field.meanings, strict=True)
}
"""What each column means."""


def content_values(article: ExtractedArticle) -> dict[str, Any]:
    """Return an article's content as the values of its columns, `extractor` among them; instants are aware."""
    values = {column: value for field in ARTICLE_FIELDS for column, value in _values(field, article)}
    return {**values, EXTRACTOR: article.extractor}


def article_content(row: Mapping[Any, Any]) -> ExtractedArticle:
    """Return the content that such values hold, as a row of `articles` or `versions` gives them."""
    read = {field.name: _READ[field.shape](row, field.name) for field in ARTICLE_FIELDS}
    return ExtractedArticle(**read, extractor=row[EXTRACTOR])


def reading_json(article: ExtractedArticle) -> dict[str, Any]:
    """Return a reading as a JSON value, its instants in ISO 8601."""
    values = content_values(article)
    return values | {column: values[column] and values[column].isoformat() for column in _INSTANTS}


def reading_from_json(value: Mapping[str, Any]) -> ExtractedArticle:
    """Return the reading that `reading_json` made."""
    return article_content({**value, **{column: _instant(value[column]) for column in _INSTANTS}})


_INSTANTS = tuple(f"{field.name}_at" for field in ARTICLE_FIELDS if field.shape is Shape.TIME)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _values(field: ArticleField, article: ExtractedArticle) -> Iterator[tuple[str, Any]]:
    value = getattr(article, field.name)
    match field.shape:
        case Shape.LIST:
            yield field.name, list(value)
        case Shape.ACCESS:
            yield field.name, value.value
        case Shape.TIME:
            stated: StatedTime | None = value
            parts = (
                (None,) * len(TIME_PARTS)
                if stated is None
                else (stated.instant, stated.local, stated.zone_known, stated.raw, stated.found_in)
            )
            yield from zip(field.columns, parts, strict=True)
        case _:
            yield field.name, value


def _stated_time(row: Mapping[Any, Any], name: str) -> StatedTime | None:
    if row[f"{name}_found_in"] is None:
        return None
    return StatedTime(
        instant=row[f"{name}_at"],
        local=row[f"{name}_local"],
        zone_known=row[f"{name}_zone_known"],
        raw=row[f"{name}_raw"],
        found_in=row[f"{name}_found_in"],
    )


_READ: dict[Shape, Callable[[Mapping[Any, Any], str], Any]] = {
    Shape.TEXT: lambda row, name: row[name],
    Shape.LIST: lambda row, name: tuple(row[name]),
    Shape.ACCESS: lambda row, name: Access(row[name]),
    Shape.TIME: _stated_time,
}
