"""A crawl of a sitemap of chunked pages ends, has them all, and keeps its connection."""

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.benchmarks.chunked_crawl import chunked_crawl
from tests.real_servers.server import ServerMissing, ServerSkipped, required

NUMBER = 60


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_every_chunked_page_of_a_sitemap_is_archived(tls: bool):
    with TemporaryDirectory(prefix="morgue-chunked-") as folder:
        try:
            result = chunked_crawl(Path(folder), number=NUMBER, tls=tls)
        except ServerMissing as missing:
            if required():
                pytest.fail(str(missing), pytrace=False)
            warnings.warn(ServerSkipped(f"NOT TESTED WITH A REAL SERVER: {missing}"), stacklevel=1)
            pytest.skip(f"NOT TESTED WITH A REAL SERVER: {missing}")
    assert result.right, result
    assert result.connections <= 3
