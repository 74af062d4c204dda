"""Whether two pages show one story: what a page says of another's address is believed only then. Pure."""

from storage.fingerprint import normalise
from storage.model import ExtractedArticle

_PASSAGE = 80
"""Characters of a paragraph that two stories do not share by chance."""


def is_same_story(one: ExtractedArticle, other: ExtractedArticle) -> bool:
    """Say whether two readings have the same headline or a whole paragraph in common."""
    return same_headline(one, other) or bool(_passages(one) & _passages(other))


def same_headline(one: ExtractedArticle, other: ExtractedArticle) -> bool:
    """Say whether two readings have the same headline, letter case and typography aside."""
    return normalise(one.headline).casefold() == normalise(other.headline).casefold()


def _passages(article: ExtractedArticle) -> set[str]:
    paragraphs = (normalise(paragraph).casefold() for paragraph in article.body.split("\n\n"))
    return {paragraph for paragraph in paragraphs if len(paragraph) >= _PASSAGE}
