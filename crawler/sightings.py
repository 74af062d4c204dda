"""What is to be recorded of a response whose text need not be compared: walls, errors, bytes seen before. Pure."""

from dataclasses import replace

from crawler.recorder import Sighting
from storage.model import HttpExchange
from storage.outcomes import Outcome, Trait, with_trait
from storage.records import KEPT_WALL_BYTES, PageLook, PageState

KEPT_AS_EVIDENCE = with_trait(Trait.EVIDENCE)


def not_comparable(sighting: Sighting) -> Sighting:
    """Return the sighting of a page whose text has nothing to be compared with yet: kept, and looked at again."""
    look = replace(sighting.look, article=None, landed=None)
    return replace(sighting, look=decided(look, Outcome.EXTRACT_FAILED, "rereading_failed"), keep=True)


def decided(look: PageLook, outcome: Outcome, reason: str | None) -> PageLook:
    """Return a look whose outcome is decided already."""
    return replace(look, fetch=replace(look.fetch, outcome=outcome, reason=reason))


def is_evidence(outcome: Outcome | None, exchange: HttpExchange) -> bool:
    """Tell whether a response that shows no article is kept all the same."""
    small = len(exchange.body) < KEPT_WALL_BYTES
    return outcome is Outcome.EXTRACT_FAILED or (outcome in KEPT_AS_EVIDENCE and small)


def evidence(look: PageLook, exchange: HttpExchange, digest: str | None) -> Sighting:
    """Return the sighting of a response that shows no article, with its capture where that is kept.

    `digest` is that of the decoded body.
    """
    if not is_evidence(look.fetch.outcome, exchange) or digest is None:
        # A capture has the digest of its decoded body; what cannot be decoded is no evidence worth keeping.
        return Sighting(look=look)
    return Sighting(look=look, exchange=exchange, body_digest=digest, keep=True)


def same_bytes(look: PageLook, page: PageState, digest: str | None, extractor: str) -> PageLook | None:
    """Return the look of a body that is byte for byte the one seen last, which needs no reading; else None."""
    if digest != page.body_digest:
        return None
    if page.seen_capture_id is not None:
        return replace(decided(look, Outcome.UNCHANGED, "same_bytes"), same_as_capture=page.seen_capture_id)
    if page.last_outcome is Outcome.NOT_ARTICLE and page.seen_extractor == extractor:
        return decided(look, Outcome.NOT_ARTICLE, "same_bytes")
    return None
