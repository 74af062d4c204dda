"""A morgue and a newsroom for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.store import Store
from tests.integration.crawls import Morgue
from tests.newsroom import Newsroom


@pytest.fixture
def newsroom() -> Iterator[Newsroom]:
    """A local publisher."""
    with Newsroom() as newsroom:
        yield newsroom


@pytest.fixture
def morgue(store: Store, tmp_path: Path) -> Morgue:
    """A morgue on each database, with an archive folder of its own."""
    return Morgue(store=store, folder=tmp_path)
