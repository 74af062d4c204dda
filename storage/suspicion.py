"""Whether a text that differs much from an article's may be taken for its new text. Pure.

A wall, a notice or another page's text served under an article's address must not enter its history, however often it
is served; a story that was rewritten or cut must.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from storage.fingerprint import normalise
from storage.likeness import Text
from storage.model import EXPLICIT_MARKUP, Access, ExtractedArticle
from storage.records import Candidate

ALMOST_NOTHING = 0.1
"""A new text that has less than this share of the old one's runs of words is another text."""
CONFIRMING_LOOKS = 3
"""The first look at a text and two later ones."""
LONG_WAIT = timedelta(hours=24)
"""How long a text must stand that does not name itself as this article."""
OTHERS_OF_FIRST = 2
"""An address without an article gives no article by a text that so many other pages of its publisher gave as well."""
_HALF = 2
_PARAGRAPH = 12
"""Words that a paragraph must have, at least, for a page that still shows it to name itself by it."""
_SURE_OF_LANGUAGE = 300
"""Characters of a text that has a language beyond doubt."""
_TEASER = 150
"""Words that the open part of a paywalled article has at most; a text above that was shown in full."""


class Doubt(StrEnum):
    """Why a text is not taken for the article's at once."""

    CUT = "cut"
    """More than half of the text is gone."""
    OTHER_TEXT = "other_text"
    """It shares almost nothing with the old one."""
    OTHER_LANGUAGE = "other_language"
    """It shares almost nothing with the old one, and is in another language."""


def doubt_about(new: ExtractedArticle, *, old: ExtractedArticle, live_blog: bool) -> Doubt | None:
    """Return why `new` may not be the text of the article that read `old`; None where nothing speaks against it.

    Growth that contains the old text is never doubted, nor is a live blog, whose old entries fall off at its end.
    """
    if live_blog or old.body == new.body:
        return None
    before, after = Text(old.body), Text(new.body)
    if before.normalised in after.normalised:
        return None
    shortened = len(after.words) * _HALF < len(before.words)
    if shortened and after.share_in(before) >= ALMOST_NOTHING:
        return Doubt.CUT
    if before.share_in(after) < ALMOST_NOTHING:
        return Doubt.OTHER_LANGUAGE if _languages_differ(old, new) else Doubt.OTHER_TEXT
    return None


def _languages_differ(old: ExtractedArticle, new: ExtractedArticle) -> bool:
    known = old.language is not None and new.language is not None
    return known and old.language != new.language and min(len(old.body), len(new.body)) >= _SURE_OF_LANGUAGE


def is_behind_paywall(new: ExtractedArticle, *, old: ExtractedArticle) -> bool:
    """Say whether `new` is only the open part of the article that we hold a fuller text of, `old`.

    The page says that its text is not free, and shows less than half of it, or its beginning. What shows nothing of it
    is something else: a retraction takes the place of paid articles too. Pages that say so from the first may show all
    of their text for all that: of those, a shortened end is an edit. An article that was never seen but in part has no
    fuller text.
    """
    closed = (Access.PAYWALLED, Access.METERED)
    if new.access not in closed:
        return False
    before, after = Text(old.body), Text(new.body)
    if old.access in closed and len(before.words) <= _TEASER:
        return False
    if len(after.words) * _HALF < len(before.words):
        return after.share_in(before) >= ALMOST_NOTHING
    begins = before.normalised.startswith(after.normalised.rstrip(" .…")) and len(after.words) < len(before.words)
    return begins and old.access not in closed


def names_itself(new: ExtractedArticle, *, old: ExtractedArticle, url: str) -> bool:
    """Say whether a page with another text still says that it is this article's, at `url`.

    By its canonical address (`canonical_url` falls back on `og:url`), by its headline, or by a paragraph of the old
    text.
    """
    if new.canonical_url is not None:
        named = _address(new.canonical_url)
        if named == _address(url) or (old.canonical_url is not None and named == _address(old.canonical_url)):
            return True
    headline = normalise(new.headline)
    if headline and headline == normalise(old.headline):
        return True
    return bool(_paragraphs(old.body) & _paragraphs(new.body))


def names_another(new: ExtractedArticle, *, old: ExtractedArticle) -> bool:
    """Say whether a page names another address as its own than when it showed `old`.

    What it named already then is the habit of its template, and tells nothing.
    """
    if new.canonical_url is None:
        return False
    return old.canonical_url is None or _address(new.canonical_url) != _address(old.canonical_url)


def possible_keys(url: str) -> list[str]:
    """Return the keys (`pages.url_key`) that the page at a plain address may have, with and without a closing slash."""
    host, path, query = _address(url)
    sorted_query = "&".join(sorted(part for part in query.split("&") if part))
    ending = f"?{sorted_query}" if sorted_query else ""
    return [f"{host}{path}/{ending}", *([f"{host}{path}{ending}"] if path else [])]


def _address(url: str) -> tuple[str, str, str]:
    """Return an address without what does not tell two articles apart: scheme, `www.`, a closing slash, a fragment."""
    parts = urlsplit(url.strip())
    return parts.netloc.lower().removeprefix("www."), parts.path.rstrip("/"), parts.query


def _paragraphs(body: str) -> set[str]:
    return {text.normalised for text in map(Text, body.split("\n\n")) if len(text.words) >= _PARAGRAPH}


def continues(new: ExtractedArticle, candidate: Candidate | None, *, old: ExtractedArticle, live_blog: bool) -> bool:
    """Say whether `new` shows the suspect text again: it resembles that one more than the article's, and is itself no
    other text than that one."""
    if candidate is None or not candidate.kind.suspect or candidate.article.extractor != new.extractor:
        return False
    if doubt_about(new, old=candidate.article, live_blog=live_blog) is not None:
        return False
    seen = Text(new.body)
    return seen.likeness(Text(candidate.article.body)) > seen.likeness(Text(old.body))


def is_confirmed(
    doubt: Doubt, *, looks: int, first_seen_at: datetime, now: datetime, named: bool, others: bool
) -> bool:
    """Say whether a suspect text has become the article's.

    `looks` counts those that showed it, this one included; `named` says that the page still names itself as this
    article, `others` that it is the text of another page of the publisher. A text that does not name itself must
    stand for a day; one in another language must do both.
    """
    if others or looks < CONFIRMING_LOOKS:
        return False
    stood_long = now - first_seen_at >= LONG_WAIT
    if doubt is Doubt.OTHER_LANGUAGE:
        return named and stood_long
    return named or stood_long


def is_dated(reading: ExtractedArticle) -> bool:
    """Say whether the page's markup dates its text, as that of a wall or a notice does not."""
    stated = reading.published
    return stated is not None and stated.found_in in EXPLICIT_MARKUP - {"time_element"}
