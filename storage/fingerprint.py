"""The form in which text is compared, and the digest of what makes a version.

Two readings say the same when only typography differs between them: white space, paragraph breaks, the shape and
nesting of quotation marks, dashes and ellipses, ligatures and full-width forms, characters that cannot be seen. Words,
figures, letter case and the other marks of punctuation are what a newsroom edits, and are kept.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from hashlib import sha256

from storage.combining_marks import with_bounded_marks
from storage.model import ExtractedArticle
from storage.remembering import remembered

SCHEME = "1"
"""Stands before every digest: a digest made by other rules is never equal by accident."""

_QUOTES = "\"'`´‘’‚‛“”„‟«»‹›′″‴ʹʺʻʼʽˈ〝〞〟「」『』"
_DASHES = "-‐‑‒–—―−⁃﹘"
_INVISIBLE = (
    "\u00ad"  # soft hyphen
    "\u034f"  # combining grapheme joiner
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks of writing direction
    "\u115f\u1160\u3164"  # Hangul fillers
    "\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors: another drawing of the same character
    "\u200b-\u200d\u2060-\u2064\ufeff"  # zero width spaces and joiners, and the byte order mark
    "\ufff9-\ufffc"  # interlinear annotations and the placeholder of an embedded object
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # control characters that are no white space
)
_SAME_MARK = str.maketrans({**dict.fromkeys(_QUOTES, '"'), **dict.fromkeys(_DASHES, "-")})
_DROPPED = re.compile(f"[{_INVISIBLE}]")
# NFKC would make 10⁵ the same as 105 and 1½ nearly 11/2: those are other figures, not another typography.
_RAISED_OR_SPLIT = re.compile("([²³¹¼-¾\u2070-\u209f\u2150-\u215f\u2189])")
_SPACE = re.compile(r"\s+")
# « mot » and "mot", word — word and word--word, “‘So?’” and "'So?'", Quoi ? and Quoi?: houses differ, texts do not.
_RUNS = re.compile(r'"[\s"]*|-[\s-]*')
# It begins where the space does: else a long one would be gone through once more for each of its characters.
_SPACE_BEFORE = re.compile(r'(?<!\s)\s++(?=["\-,.;:!?])')


@remembered
def normalise(text: str) -> str:
    """Return the form of `text` that is compared; it is not meant to be read.

    Equal forms mean that nothing changed that a newsroom would call an edit. Normalising twice changes nothing more.
    """
    visible = with_bounded_marks(_DROPPED.sub("", text).translate(_SAME_MARK))
    parts = _RAISED_OR_SPLIT.split(visible)
    folded = "".join(part if odd % 2 else unicodedata.normalize("NFKC", part) for odd, part in enumerate(parts))
    folded = with_bounded_marks(_DROPPED.sub("", folded).translate(_SAME_MARK))
    tight = _SPACE_BEFORE.sub("", _RUNS.sub(lambda run: run.group()[0], folded))
    return _SPACE.sub(" ", tight).strip()


def normal_forms(article: ExtractedArticle) -> dict[str, str]:
    """Return the forms of an article's texts by the texts, to be given to `remember` in another process."""
    texts = (article.headline, article.standfirst or "", article.body, *article.authors)
    return {text: normalise(text) for text in texts}


def remember(forms: Mapping[str, str]) -> None:
    """Take over forms that were made elsewhere, so that the thread that compares them need not make them."""
    for text, form in forms.items():
        normalise.keep(text, form)


def author_set(authors: Iterable[str]) -> frozenset[str]:
    """Return the normalised names of `authors`, without order, repeats and empty names."""
    return frozenset(name for name in map(normalise, authors) if name)


def text_digest(text: str) -> str:
    """Return `1:` and the SHA-256, in hex, of the form of `text` that is compared."""
    return f"{SCHEME}:{sha256(normalise(text).encode('utf-8', 'surrogatepass')).hexdigest()}"


def content_digest(article: ExtractedArticle) -> str:
    """Return `1:` and the SHA-256, in hex, of what the article says: headline, standfirst, body and authors.

    Times are left out, because the same text with another date of publication is compared by `storage.changes`. Empty
    fields are skipped, so that a field added to the rules one day changes no digest of an article that lacks it.
    """
    said: list[tuple[str, str | list[str]]] = [
        ("headline", normalise(article.headline)),
        ("standfirst", normalise(article.standfirst or "")),
        ("body", normalise(article.body)),
        ("authors", sorted(author_set(article.authors))),
    ]
    # JSON keeps fields and names apart whatever they hold, and writes even a lone surrogate as ASCII.
    encoded = json.dumps([field for field in said if field[1]], separators=(",", ":"))
    return f"{SCHEME}:{sha256(encoded.encode('ascii')).hexdigest()}"
