"""A morgue and a newsroom for each test; for commands, a folder with a database and a server with a feed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.store import Store
from tests.integration.bad_answers import FEED_TYPE, PARAGRAPHS, feed, page
from tests.integration.bad_server import BadServer, answer, bad_server
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


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path) -> Path:
    """A folder with an empty database."""
    (tmp_path / "morgue.db").write_bytes(sqlite_template.read_bytes())
    return tmp_path


@pytest.fixture
def server() -> Iterator[BadServer]:
    """A server with a feed of three articles."""
    with bad_server() as server:
        paths = ["/one", "/two", "/three"]
        server.scripts["/feed"] = answer(feed(*paths).encode(), content_type=FEED_TYPE)
        for path in paths:
            server.scripts[path] = answer(page((f"This is the page at {path}, no other.", *PARAGRAPHS)).encode())
        yield server
