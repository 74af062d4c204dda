"""What reading a page came to. Imports nothing heavy, so that whoever only handles readings starts fast."""

from dataclasses import dataclass

from storage.model import ExtractedArticle, Outcome


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The article that a page shows, or why it shows none.

    `outcome` is None exactly when `article` is given; else it is `NOT_ARTICLE`, `SOFT_404`, `SCRIPT_SHELL` or
    `EXTRACT_FAILED`, and `reason` a short code.
    """

    article: ExtractedArticle | None = None
    outcome: Outcome | None = None
    reason: str | None = None
