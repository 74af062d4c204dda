"""Brings the sources in the database up to date with the configuration, holding others up as little as possible."""

from collections.abc import Sequence
from datetime import datetime

from storage.model import Source
from storage.statements import slices
from storage.store import Store

SOURCES_A_TRANSACTION = 20
"""About 25 ms, and 100 on a busy machine; every command does this, and SQLite has one writer at a time."""


def sync_sources(store: Store, configured: Sequence[Source], now: datetime) -> None:
    """Make the configured sources what the configuration says, as `Sources.sync` does, in several transactions.

    Nothing is written where they are that already. Stopped in between, the next call goes on. Raises
    `DatabaseUnavailable`.
    """
    with store.reading() as transaction:
        differing = transaction.sources.differing(configured)
        is_any_gone = transaction.sources.is_any_gone(configured)
    for part in slices(differing, SOURCES_A_TRANSACTION):
        with store.writing() as transaction:
            for source, indexes in part:
                transaction.sources.configure(source, indexes, now)
    if is_any_gone:
        with store.writing() as transaction:
            transaction.sources.pause_all_but(configured)
