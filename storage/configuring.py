"""Brings the sources in the database up to date with the configuration, holding others up as little as possible."""

from collections.abc import Sequence
from datetime import datetime

from storage.model import Source
from storage.statements import slices
from storage.store import Store
from storage.succession import Succession, WentOver

SOURCES_A_TRANSACTION = 20
"""About 25 ms, and 100 on a busy machine; every command does this, and SQLite has one writer at a time."""


def sync_sources(store: Store, configured: Sequence[Source], now: datetime) -> list[WentOver]:
    """Make the configured sources what the configuration says, as `Sources.sync` does, in several transactions.

    Nothing is written where they are that already. Stopped in between, the next call goes on. Where a source is gone
    whose feeds another one names now, as after a change of its slug, its pages go over to that one, which is returned.
    Raises `DatabaseUnavailable`.
    """
    with store.reading() as transaction:
        differing = transaction.sources.differing(configured)
        is_any_gone = transaction.sources.is_any_gone(configured)
        successions = transaction.successions.find(configured) if differing else []
    # Before the feeds go over: by them it is known what is left to do.
    went_over = [_hand_over(store, succession, now) for succession in successions]
    for part in slices(differing, SOURCES_A_TRANSACTION):
        with store.writing() as transaction:
            transaction.sources.configure(part, now)
    if is_any_gone:
        with store.writing() as transaction:
            transaction.sources.pause_all_but(configured)
    return went_over


def _hand_over(store: Store, succession: Succession, now: datetime) -> WentOver:
    with store.writing() as transaction:
        heir_id = transaction.sources.ensure_configured(succession.heir, now)
    count = 0
    while True:
        with store.writing() as transaction:
            slice_of = transaction.successions.hand_over_pages(succession.source_id, heir_id, succession.hosts)
        if not slice_of:
            break
        count += slice_of
    with store.writing() as transaction:
        transaction.successions.hand_over_found_feeds(succession.source_id, heir_id)
    return WentOver(slug=succession.slug, heir=succession.heir.slug, pages=count)
