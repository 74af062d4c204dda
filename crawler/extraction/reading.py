"""What reading a page came to. Imports nothing heavy, so that whoever only handles readings starts fast."""

from dataclasses import dataclass

from crawler.extraction.addresses import NO_ADDRESSES, PageAddresses
from crawler.extraction.permissions import NOTHING_FORBIDDEN, Permissions
from storage.model import ExtractedArticle
from storage.outcomes import Outcome


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The article that a page shows, or why it shows none.

    `outcome` is None exactly when `article` is given; else it is `NOT_ARTICLE`, one of the walls (`SOFT_404`,
    `CONSENT_WALL`, `LOGIN_WALL`, `BOT_CHECK`, `MAINTENANCE`, `SCRIPT_SHELL`) or `EXTRACT_FAILED`, and `reason` a short
    code. `permissions` are what headers and markup permit; nothing is forbidden where they could not be read.
    `addresses` are those that the page gives itself and the parts of its article. `live_blog` says that the markup
    calls the text a live blog.
    """

    article: ExtractedArticle | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    permissions: Permissions = NOTHING_FORBIDDEN
    addresses: PageAddresses = NO_ADDRESSES
    live_blog: bool = False
