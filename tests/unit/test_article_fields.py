"""The table of an article's fields covers what a reading holds, and each change that makes a version."""

from dataclasses import fields

from storage.article_fields import ARTICLE_FIELDS, EXTRACTOR, MEANINGS, content_values
from storage.model import ChangedField, ExtractedArticle


def test_every_field_of_a_reading_stands_in_the_table():
    names = {field.name for field in ARTICLE_FIELDS}
    assert names == {field.name for field in fields(ExtractedArticle)} - {EXTRACTOR}
    assert len(names) == len(ARTICLE_FIELDS)


def test_every_change_is_of_one_field():
    changes = [field.changes for field in ARTICLE_FIELDS if field.changes is not None]
    assert sorted(changes) == sorted(ChangedField)


def test_every_column_is_explained_and_filled():
    values = content_values(ExtractedArticle(headline="Ferry returns", body="It does.", extractor="0"))
    assert list(values) == [*MEANINGS, EXTRACTOR]
    assert all(meaning.endswith(".") for meaning in MEANINGS.values())
