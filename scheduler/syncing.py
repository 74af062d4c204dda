"""Brings the configured sources into the database, and says which pages changed hands."""

from collections.abc import Sequence

import structlog

from storage.clock import utc_now
from storage.configuring import sync_sources
from storage.model import Source
from storage.store import Store
from storage.succession import WentOver

log = structlog.get_logger()


def sync(store: Store, configured: Sequence[Source]) -> list[WentOver]:
    """Do as `sync_sources` does, and log what went over."""
    went_over = sync_sources(store, configured, utc_now())
    for one in went_over:
        log.info("pages_went_over", source=one.slug, to=one.heir, pages=one.pages)
    return went_over
